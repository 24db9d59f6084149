/// What the monitor sees, over HTTP: `/api/v1/endpoints/<e>/monitor`, `/api/v1/endpoints/<e>/alarms`, `/api/v1/alarms`, `/api/v1/retrains`, and where
/// labels come in: `POST /endpoints/<e>/labels`.
#pragma once

#include "api/router.h"

namespace rondo::api {

void AddMonitor(Router& router);

}  // namespace rondo::api
