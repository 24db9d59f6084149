/// What searches of runs, experiments and logged models may name. Internal to tracking.
#pragma once

#include "db/search/filter.h"

namespace rondo::tracking::search {

const db::search::Language& RunLanguage();
const db::search::Language& ExperimentLanguage();
const db::search::Language& LoggedModelLanguage();

}  // namespace rondo::tracking::search
