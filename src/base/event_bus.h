/// Typed events between modules that must not include each other (alias moved -> endpoint reloads). Connected in `app`.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace rondo {

/// Handlers run on the publisher's thread, in order of subscription; they must be quick and not publish the same type.
/// Thread-safe. Subscriptions last as long as the bus.
class EventBus {
 public:
  template <typename E>
  void Subscribe(std::function<void(const E&)> handler) {
    std::lock_guard lock(mutex_);
    handlers_[typeid(E)].push_back([handler = std::move(handler)](const void* e) { handler(*static_cast<const E*>(e)); });
  }
  template <typename E>
  void Publish(const E& event) const {
    std::vector<std::function<void(const void*)>> copy;
    {
      std::lock_guard lock(mutex_);
      if (auto it = handlers_.find(typeid(E)); it != handlers_.end()) copy = it->second;
    }
    for (const auto& handler : copy) handler(&event);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::type_index, std::vector<std::function<void(const void*)>>> handlers_;
};

}  // namespace rondo
