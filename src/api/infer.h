/// Predictions over HTTP: Open Inference Protocol v2 (REST, JSON) below /v2, and MLflow's scoring protocol below /endpoints.
/// Answers run on the event loop; bodies that would hold it up go to serving's own threads.
#pragma once

#include "api/router.h"

namespace rondo::api {

void AddInfer(Router& router);

}  // namespace rondo::api
