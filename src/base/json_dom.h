/// simdjson's document model, for decoders on the request's path: it reads without copying every text and number, as `Json` (base/json.h) does.
/// Heavy: include it in .cc files only.
#pragma once

#include <simdjson.h>
