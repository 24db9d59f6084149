#include "govern/login_limit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace rondo::govern {
namespace {

struct Rule {
  double burst;        // wrong passwords that may come at once
  double per_minute;   // and how fast the right to more comes back
};
/// One address guessing one name is stopped at once. The bucket of the name alone stands against many addresses; it is wide, since whoever fills it
/// keeps the owner's new logins out (open sessions, tokens and remembered headers go on).
constexpr Rule kPair{5, 1}, kAddress{30, 6}, kName{100, 2};
constexpr size_t kMost = 20'000;

std::array<std::pair<std::string, Rule>, 3> Keys(const std::string& name, const std::string& remote) {
  return {{{"b" + remote + " " + name, kPair}, {"a" + remote, kAddress}, {"n" + name, kName}}};
}

}  // namespace

int64_t LoginLimit::Wait(const std::string& name, const std::string& remote) {
  const int64_t now = clock_.NowMs();
  double wait = 0;
  std::lock_guard lock(mutex_);
  for (const auto& [key, rule] : Keys(name, remote)) {
    const auto it = buckets_.find(key);
    if (it == buckets_.end()) continue;
    const double left = std::min(rule.burst, it->second.left + static_cast<double>(now - it->second.at) / 60'000 * rule.per_minute);
    if (left < 1) wait = std::max(wait, (1 - left) / rule.per_minute * 60);
  }
  return static_cast<int64_t>(std::ceil(wait));
}

void LoginLimit::Failed(const std::string& name, const std::string& remote) {
  const int64_t now = clock_.NowMs();
  std::lock_guard lock(mutex_);
  // Buckets that are full again say nothing.
  if (buckets_.size() > kMost) std::erase_if(buckets_, [&](const auto& b) { return now - b.second.at > 60 * 60'000; });
  if (buckets_.size() > 2 * kMost) buckets_.clear();
  for (const auto& [key, rule] : Keys(name, remote)) {
    const auto [it, fresh] = buckets_.try_emplace(key, Bucket{rule.burst, now});
    Bucket& b = it->second;
    b.left = std::max(0.0, std::min(rule.burst, b.left + static_cast<double>(now - b.at) / 60'000 * rule.per_minute) - 1);
    b.at = now;
  }
}

void LoginLimit::Succeeded(const std::string& name, const std::string& remote) {
  std::lock_guard lock(mutex_);
  const auto keys = Keys(name, remote);
  buckets_.erase(keys[0].first);
  for (const auto& [key, rule] : {keys[1], keys[2]})
    if (const auto it = buckets_.find(key); it != buckets_.end()) it->second.left = std::min(rule.burst, it->second.left + 1);
}

}  // namespace rondo::govern
