/// Slows down guessing: token buckets for wrong passwords by address, by name, and by both. Thread-safe, bounded memory.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace rondo::govern {

class LoginLimit {
 public:
  explicit LoginLimit(Clock& clock) : clock_(clock) {}
  /// Seconds until a try is let through; 0: now. Does not count as a try.
  int64_t Wait(const std::string& name, const std::string& remote);
  void Failed(const std::string& name, const std::string& remote);
  /// Takes back what Failed counted for this try, and forgets the pair.
  void Succeeded(const std::string& name, const std::string& remote);

 private:
  struct Bucket {
    double left = 0;
    int64_t at = 0;
  };
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace rondo::govern
