#include "registry/webhook_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "net/client.h"

namespace rondo::registry {

std::string WebhookPayload(const WebhookEvent& event, int64_t now, const Json& data);  // webhook_events.cc

namespace {

constexpr int64_t kPollMs = 100, kTimeoutMs = 10'000;
constexpr int64_t kBatch = 64, kTries = 20, kHourMs = 3'600'000, kKeepFailedMs = 7 * 24 * kHourMs;
constexpr uint64_t kMaxAnswer = 64u << 10;
constexpr size_t kWorkers = 4;

/// The receiver may do better later: MLflow's list, and 408.
bool Temporary(int status) { return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504; }

class Sender : public WebhookSender {
 public:
  Sender(db::Database& db, Clock& clock, Webhooks& webhooks) : db_(db), clock_(clock), webhooks_(webhooks), pool_(std::make_unique<ThreadPool>("webhook", kWorkers)) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Sender() override { Stop(); }

  void Stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    pool_.reset();
  }

  Result<WebhookAnswer> Test(const std::string& webhook_id, const std::string& event) override {
    RONDO_TRY(const Webhook webhook, webhooks_.Get(webhook_id));
    const std::string name = event.empty() && !webhook.events.empty() ? webhook.events.front() : event;
    const WebhookEvent* known = FindWebhookEvent(name);
    if (!known) return Fail(Code::kInvalid, fmt::format("Unknown event type: {}", name.substr(0, 100)));
    RONDO_TRY(const Json example, ParseJson(known->example));
    auto answer = Call(webhook, NewUuid(), WebhookPayload(*known, clock_.NowMs(), example));
    if (!answer) return WebhookAnswer{false, std::nullopt, {}, "Failed to test webhook: " + answer.error().message};
    return WebhookAnswer{answer->status < 400, answer->status, answer->body, {}};
  }

 private:
  Result<net::ClientResponse> Call(const Webhook& webhook, const std::string& delivery_id, const std::string& payload) {
    RONDO_TRY(const std::string secret, webhooks_.Secret(webhook.webhook_id));
    const std::string seconds = std::to_string(clock_.NowMs() / 1000);
    net::ClientRequest request;
    request.method = "POST";
    request.url = webhook.url;
    request.headers = {{"Content-Type", "application/json"}, {"X-MLflow-Delivery-Id", delivery_id}, {"X-MLflow-Timestamp", seconds}};
    if (!secret.empty()) request.headers.emplace_back("X-MLflow-Signature", WebhookSignature(secret, delivery_id, seconds, payload));
    request.body = payload;
    request.timeout_ms = kTimeoutMs;
    request.max_body = kMaxAnswer;
    request.public_only = !webhooks_.options().allow_private;
    return net::Fetch(request);
  }

  void Deliver(const WebhookDelivery& d) {
    const Status status = Settle(d);
    if (!status) LogError("webhooks", "delivery {} of {}: {}", d.id, d.event, status.error().Text());
    const std::lock_guard lock(mutex_);
    finished_.push_back(d.id);
  }

  Status Settle(const WebhookDelivery& d) {
    const auto webhook = webhooks_.Get(d.webhook_id);
    // Gone meanwhile: its deliveries went with it. Disabled: those who switch it off want silence.
    if (!webhook || webhook->status != "ACTIVE") return webhooks_.Delivered(d.id);
    const auto answer = Call(*webhook, d.delivery_id, d.payload);
    if (answer && answer->status < 400) return webhooks_.Delivered(d.id);
    const std::string error = answer ? fmt::format("the receiver answered {}", answer->status) : answer.error().message;
    const bool again = answer ? Temporary(answer->status) : answer.error().code == Code::kUnavailable;
    std::optional<int64_t> pause = again ? WebhookPause(d.attempts + 1) : std::nullopt;
    if (pause && answer) pause = std::max(*pause, RetryAfterMs(*answer));
    if (!pause) LogWarn("webhooks", "\"{}\" was not told of {}: {}", webhook->name, d.event, error);
    return webhooks_.Failed(d.id, error, pause ? std::optional(clock_.NowMs() + *pause) : std::nullopt);
  }

  static int64_t RetryAfterMs(const net::ClientResponse& answer) {
    const std::string text = answer.Header("Retry-After");
    if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos) return 0;
    return std::min<int64_t>(std::stoll(text) * 1000, kHourMs);
  }

  /// Gives what is due to the pool. What was finished before the query is not in its answer; what finishes later is still in `busy_`: never twice.
  Status Look() {
    {
      const std::lock_guard lock(mutex_);
      for (const int64_t id : finished_) busy_.erase(id);
      finished_.clear();
    }
    RONDO_TRY(const auto due, webhooks_.Due(clock_.NowMs(), kBatch));
    for (const WebhookDelivery& d : due) {
      {
        const std::lock_guard lock(mutex_);
        if (!busy_.insert(d.id).second) continue;
      }
      if (pool_->Submit([this, d] { Deliver(d); })) continue;
      const std::lock_guard lock(mutex_);
      busy_.erase(d.id);
    }
    return {};
  }

  void Run() {
    NameThread("webhooks");
    if (const Status forgotten = webhooks_.Forget(clock_.NowMs() - kKeepFailedMs); !forgotten) LogError("webhooks", "{}", forgotten.error().Text());
    std::optional<int64_t> seen;
    int64_t looked = 0;
    while (true) {
      const auto counter = db_.ChangeCounter();
      const int64_t now = clock_.NowMs();
      // The counter tells of changes by any process; without one, tries that have come due are found within a second.
      if (!counter || seen != *counter || now - looked >= 1000 || now < looked) {
        if (counter) seen = *counter;
        looked = now;
        if (const Status status = Look(); !status) LogError("webhooks", "{}", status.error().Text());
      }
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, std::chrono::milliseconds(kPollMs), [&] { return stopping_; })) return;
    }
  }

  db::Database& db_;
  Clock& clock_;
  Webhooks& webhooks_;
  std::unique_ptr<ThreadPool> pool_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::set<int64_t> busy_;
  std::vector<int64_t> finished_;
  std::thread thread_;
};

}  // namespace

std::string WebhookSignature(const std::string& secret, const std::string& delivery_id, const std::string& seconds, const std::string& payload) {
  const std::string hex = HmacSha256Hex(secret, delivery_id + "." + seconds + "." + payload);
  return "v1," + Base64Encode(HexDecode(hex).value_or(""));
}

std::optional<int64_t> WebhookPause(int64_t attempts) {
  if (attempts >= kTries) return std::nullopt;
  return std::min<int64_t>(1000ll << std::min<int64_t>(std::max<int64_t>(attempts, 1) - 1, 12), kHourMs);
}

std::unique_ptr<WebhookSender> WebhookSender::Start(db::Database& db, Clock& clock, Webhooks& webhooks) { return std::make_unique<Sender>(db, clock, webhooks); }

}  // namespace rondo::registry
