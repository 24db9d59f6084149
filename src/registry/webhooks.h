/// Webhooks of the registry, as MLflow has them: who is told of which events. Each change writes its deliveries into an outbox within its own
/// transaction, so an event is told exactly when its change is kept; `webhook_sender.h` empties the outbox. Thread-safe, durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::registry {

struct Webhook {
  std::string webhook_id, name, description, url;
  std::string status = "ACTIVE";    ///< ACTIVE | DISABLED
  std::vector<std::string> events;  ///< "model_version.created"
  int64_t creation_time = 0, last_update_time = 0;
};

/// An event that can be subscribed to, with an example of its data for test calls.
struct WebhookEvent {
  std::string_view entity, action;
  std::string_view example;  ///< JSON
  std::string Name() const { return std::string(entity) + "." + std::string(action); }
};
std::span<const WebhookEvent> WebhookEvents();
/// Null for an unknown one.
const WebhookEvent* FindWebhookEvent(std::string_view name);

struct WebhookChange {
  std::optional<std::string> name, description, url, status, secret;
  std::optional<std::vector<std::string>> events;
};

/// A failed or waiting delivery.
struct WebhookDelivery {
  int64_t id = 0;
  std::string webhook_id, delivery_id, event, payload, state, last_error;
  int64_t attempts = 0, due_time = 0, creation_time = 0;
};

struct WebhookOptions {
  /// Key that secrets are sealed with.
  std::function<Result<std::string>()> key;
  /// Receivers in private networks and on this machine, and plain http.
  bool allow_private = false;
};

class Webhooks {
 public:
  virtual ~Webhooks() = default;
  /// `change` must have name, url and events. Errors are in MLflow's words.
  virtual Result<Webhook> Create(const WebhookChange& change) = 0;
  virtual Result<Webhook> Get(const std::string& id) = 0;
  virtual Result<std::vector<Webhook>> List(int64_t max_results, std::string& page_token) = 0;  ///< newest first
  virtual Result<Webhook> Update(const std::string& id, const WebhookChange& change) = 0;
  virtual Status Delete(const std::string& id) = 0;  ///< its deliveries go too
  virtual Result<std::string> Secret(const std::string& id) = 0;  ///< opened; "" when there is none

  // For the sender.
  virtual Result<std::vector<WebhookDelivery>> Due(int64_t now, int64_t most) = 0;  ///< oldest first
  virtual Status Delivered(int64_t delivery) = 0;
  /// Tries again at `due`, or never when it is empty.
  virtual Status Failed(int64_t delivery, const std::string& error, std::optional<int64_t> due) = 0;
  virtual Status Forget(int64_t before) = 0;  ///< failed deliveries that are older
  virtual const WebhookOptions& options() const = 0;
};
std::unique_ptr<Webhooks> MakeWebhooks(db::Database& db, Clock& clock, WebhookOptions options);

/// Puts an event into the outbox of those who subscribed; inside the transaction of the change.
Status Announce(db::Session& s, int64_t now, std::string_view event, const Json& data);

}  // namespace rondo::registry
