/// Endpoints and their rollouts: state for pages and scripts, and what a person does (advance, pause, resume, abort, rollback).
#pragma once

#include "api/router.h"

namespace rondo::api {

void AddEndpoints(Router& router);

}  // namespace rondo::api
