#include "registry/history.h"

#include <algorithm>

namespace rondo::registry {

std::map<std::string, int64_t> AliasesAt(const std::vector<AliasChange>& history, int64_t time) {
  std::map<std::string, int64_t> out;
  // Newest first, as AliasHistory gives them: of changes in the same millisecond the earlier in the list is the later in life.
  std::vector<const AliasChange*> ordered;
  for (const AliasChange& c : history) ordered.push_back(&c);
  std::ranges::reverse(ordered);
  std::ranges::stable_sort(ordered, {}, &AliasChange::time);
  for (const AliasChange* c : ordered) {
    if (c->time > time) break;
    if (c->to) out[c->alias] = *c->to;
    else out.erase(c->alias);
  }
  return out;
}

}  // namespace rondo::registry
