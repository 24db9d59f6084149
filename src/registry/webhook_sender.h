/// Sends what waits in the webhooks' outbox: signed like MLflow's, tried again with growing pauses for most of a day, across restarts.
/// Receivers see each delivery at least once; X-MLflow-Delivery-Id stays the same over its tries.
///
/// Threads: one that looks for due deliveries, a small pool that calls receivers. Only the server runs one; commands just fill the outbox.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "db/db.h"
#include "registry/webhooks.h"

namespace rondo::registry {

struct WebhookAnswer {
  bool success = false;
  std::optional<int> status;
  std::string body, error;
};

class WebhookSender {
 public:
  static std::unique_ptr<WebhookSender> Start(db::Database& db, Clock& clock, Webhooks& webhooks);
  virtual ~WebhookSender() = default;
  /// Calls the receiver once with example data; the webhook's first event when `event` is empty.
  virtual Result<WebhookAnswer> Test(const std::string& webhook_id, const std::string& event) = 0;
  virtual void Stop() = 0;  ///< waits for calls that are under way
};

/// Base64 of HMAC-SHA256 over "<delivery id>.<unix seconds>.<payload>", after "v1,".
std::string WebhookSignature(const std::string& secret, const std::string& delivery_id, const std::string& seconds, const std::string& payload);
/// Pause before try `attempts` + 1 (attempts >= 1), in ms: 1 s, doubling, at most 1 h; empty when it is not tried again (after 20 tries).
std::optional<int64_t> WebhookPause(int64_t attempts);

}  // namespace rondo::registry
