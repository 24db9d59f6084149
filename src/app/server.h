/// `rondo up`: builds the parts, connects them, runs until it is told to stop, and stops them in order.
#pragma once

#include "base/result.h"
#include "cli/command.h"

namespace rondo::app {

/// Returns when SIGTERM or SIGINT has been handled and everything is drained.
Status Up(const cli::UpOptions& options);

}  // namespace rondo::app
