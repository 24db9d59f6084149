#include "app/server.h"

namespace rondo::app {
Status Up(const cli::UpOptions&) { return Fail(Code::kUnsupported, "not yet"); }
}  // namespace rondo::app
