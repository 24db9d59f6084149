/// Counters by model version, loaded once. A version without a reference (made outside Rondo) is watched by its row counts and labels only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "monitor/window.h"

namespace rondo::monitor {

class References {
 public:
  /// kNotFound: the version has none.
  using Source = std::function<Result<Reference>(const std::string& model, int64_t version)>;
  References(Source source, Clock& clock) : source_(std::move(source)), clock_(clock) {}
  /// Thread-safe. Null when there is none; asked again after 10 s, because a reference may be stored after the first prediction.
  std::shared_ptr<const Counter> Find(const std::string& model, int64_t version);

 private:
  struct Entry {
    std::shared_ptr<const Counter> counter;
    int64_t asked = 0;
  };
  Source source_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int64_t>, Entry> entries_;
};

}  // namespace rondo::monitor
