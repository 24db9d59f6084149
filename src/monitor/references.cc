// The cache of references.
#include "monitor/references.h"

#include "base/log.h"

namespace rondo::monitor {

std::shared_ptr<const Counter> References::Find(const std::string& model, int64_t version) {
  constexpr int64_t kAskAgainMs = 10'000;
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.NowMs();
  auto [at, fresh] = entries_.try_emplace({model, version});
  Entry& entry = at->second;
  if (entry.counter || (!fresh && now - entry.asked < kAskAgainMs)) return entry.counter;
  auto reference = source_(model, version);
  if (reference) {
    entry.counter = std::make_shared<const Counter>(std::move(*reference));
  } else if (fresh || reference.error().code != Code::kNotFound) {
    LogWarn("monitor", "no reference profile for {}/{}, its columns are not watched: {}", model, version, reference.error().message);
  }
  entry.asked = now;
  return entry.counter;
}

}  // namespace rondo::monitor
