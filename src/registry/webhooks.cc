// Webhooks and their outbox on SQL.
#include "registry/webhooks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/seal.h"
#include "registry/store.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kPurpose = "webhook secrets";
constexpr size_t kMaxUrl = 2048, kMaxDescription = 10'000, kMaxSecret = 1000, kMaxError = 500;

constexpr std::string_view kOne = "SELECT id, name, description, url, status, creation_time, last_update_time FROM webhook WHERE id = $1";
constexpr std::string_view kPage =
    "SELECT id, name, description, url, status, creation_time, last_update_time FROM webhook WHERE creation_time < $1 OR (creation_time = $1 AND id > $2) ORDER BY creation_time DESC, id LIMIT $3";
constexpr std::string_view kEvents = "SELECT event FROM webhook_event WHERE webhook = $1 ORDER BY event";
constexpr std::string_view kInsert = "INSERT INTO webhook (id, name, description, url, status, secret, creation_time, last_update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
constexpr std::string_view kUpdate =
    "UPDATE webhook SET name = coalesce($2, name), description = coalesce($3, description), url = coalesce($4, url), status = coalesce($5, status), secret = coalesce($6, secret), "
    "last_update_time = $7 WHERE id = $1";
constexpr std::string_view kInsertEvent = "INSERT INTO webhook_event (event, webhook) VALUES ($1, $2) ON CONFLICT (event, webhook) DO NOTHING";
constexpr std::string_view kDeleteEvents = "DELETE FROM webhook_event WHERE webhook = $1";
constexpr std::string_view kDelete = "DELETE FROM webhook WHERE id = $1";
constexpr std::string_view kDeleteDeliveries = "DELETE FROM webhook_delivery WHERE webhook = $1";
constexpr std::string_view kSecret = "SELECT secret FROM webhook WHERE id = $1";
constexpr std::string_view kDue =
    "SELECT id, webhook, delivery_id, event, payload, state, last_error, attempts, due_time, creation_time FROM webhook_delivery WHERE state = 'waiting' AND due_time <= $1 ORDER BY due_time, id LIMIT $2";
constexpr std::string_view kDelivered = "DELETE FROM webhook_delivery WHERE id = $1";
constexpr std::string_view kRetry = "UPDATE webhook_delivery SET attempts = attempts + 1, last_error = $2, due_time = $3 WHERE id = $1";
constexpr std::string_view kFailed = "UPDATE webhook_delivery SET attempts = attempts + 1, last_error = $2, state = 'failed' WHERE id = $1";
constexpr std::string_view kForget = "DELETE FROM webhook_delivery WHERE state = 'failed' AND creation_time < $1";

bool NameCharacter(char c, bool inner) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (inner && (c == '.' || c == '_' || c == '-')); }

Status CheckName(const std::string& name) {
  bool ok = !name.empty() && name.size() <= 63;
  for (size_t i = 0; ok && i < name.size(); ++i) ok = NameCharacter(name[i], i > 0 && i + 1 < name.size());
  if (ok) return {};
  return Fail(Code::kInvalid, fmt::format("Webhook name '{}' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain only letters, digits, dots (.), "
                                          "underscores (_), and hyphens (-).",
                                          name.substr(0, 200)));
}

Status CheckUrl(const std::string& url, bool allow_http) {
  if (url.find_first_not_of(" \t\r\n") == std::string::npos) return Fail(Code::kInvalid, fmt::format("Webhook URL cannot be empty or just whitespace: '{}'", url.substr(0, 100)));
  const size_t end = url.find("://");
  std::string scheme = end == std::string::npos ? url.substr(0, std::min(url.find(':'), url.size())) : url.substr(0, end);
  if (url.find(':') == std::string::npos) scheme.clear();
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (scheme != "https" && !(allow_http && scheme == "http"))
    return Fail(Code::kInvalid, fmt::format("Invalid webhook URL scheme: '{}'. Allowed schemes are: {}.", scheme.substr(0, 50), allow_http ? "https, http" : "https"));
  const bool plain = std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  if (url.size() > kMaxUrl || !plain || end == std::string::npos || end + 3 >= url.size() || url[end + 3] == '/' || std::count(url.begin(), url.end(), '[') != std::count(url.begin(), url.end(), ']') || url.find('@', end) < url.find('/', end + 3))
    return Fail(Code::kInvalid, fmt::format("Invalid webhook URL '{}': write it like https://host/path, without a user name and spaces", url.substr(0, 200)));
  return {};
}

Status CheckEvents(const std::vector<std::string>& events) {
  if (events.empty()) return Fail(Code::kInvalid, "Webhook events must be a non-empty list of WebhookEvent objects: [].");
  for (const std::string& name : events) {
    if (FindWebhookEvent(name)) continue;
    const std::string entity = name.substr(0, name.find('.')), action = name.size() > entity.size() ? name.substr(entity.size() + 1) : "";
    std::vector<std::string> valid;
    for (const WebhookEvent& e : WebhookEvents())
      if (e.entity == entity) valid.push_back(fmt::format("'{}'", e.action));
    std::sort(valid.begin(), valid.end());
    return Fail(Code::kInvalid, fmt::format("Invalid action '{}' for entity '{}'. Valid actions are: [{}]", action, entity, fmt::join(valid, ", ")));
  }
  return {};
}

Status CheckChange(const WebhookChange& change, bool allow_http) {
  if (change.name) RONDO_DO(CheckName(*change.name));
  if (change.url) RONDO_DO(CheckUrl(*change.url, allow_http));
  if (change.events) RONDO_DO(CheckEvents(*change.events));
  if (change.status && *change.status != "ACTIVE" && *change.status != "DISABLED") return Fail(Code::kInvalid, fmt::format("Invalid webhook status '{}': ACTIVE or DISABLED", change.status->substr(0, 50)));
  if (change.description && change.description->size() > kMaxDescription) return Fail(Code::kInvalid, fmt::format("'description' exceeds the maximum length of {} characters", kMaxDescription));
  if (change.secret && change.secret->size() > kMaxSecret) return Fail(Code::kInvalid, fmt::format("'secret' exceeds the maximum length of {} characters", kMaxSecret));
  return {};
}

Webhook Read(const db::Row& r) { return {r.String(0), r.String(1), r.String(2), r.String(3), r.String(4), {}, r.Int(5), r.Int(6)}; }

Status AddEvents(db::Session& s, Webhook& w) {
  return s.Query(kEvents, {w.webhook_id}, [&](const db::Row& r) {
    w.events.push_back(r.String(0));
    return true;
  });
}

Result<Webhook> Load(db::Session& s, const std::string& id) {
  std::optional<Webhook> w;
  RONDO_DO(s.Query(kOne, {id}, [&](const db::Row& r) {
    w = Read(r);
    return false;
  }));
  if (!w) return Fail(Code::kNotFound, fmt::format("Webhook with ID {} not found.", id.substr(0, 100)));
  RONDO_DO(AddEvents(s, *w));
  return *w;
}

class WebhookStore : public Webhooks {
 public:
  WebhookStore(db::Database& db, Clock& clock, WebhookOptions options) : db_(db), clock_(clock), options_(std::move(options)) {}

  Result<Webhook> Create(const WebhookChange& change) override {
    RONDO_DO(CheckChange(change, options_.allow_private));
    RONDO_DO(CheckName(change.name.value_or("")));
    RONDO_DO(CheckEvents(change.events.value_or(std::vector<std::string>())));
    RONDO_DO(CheckUrl(change.url.value_or(""), options_.allow_private));
    RONDO_TRY(const std::string sealed, Sealed(change.secret.value_or("")));
    const std::string id = NewUuid();
    return db::Store<Webhook>(db_, [&](db::Session& s) -> Result<Webhook> {
      RONDO_DO(Do(s, kInsert, {id, *change.name, change.description.value_or(""), *change.url, change.status.value_or("ACTIVE"), sealed, clock_.NowMs()}));
      for (const std::string& event : *change.events) RONDO_DO(Do(s, kInsertEvent, {event, id}));
      return Load(s, id);
    });
  }

  Result<Webhook> Get(const std::string& id) override {
    return db::Fetch<Webhook>(db_, [&](db::Session& s) { return Load(s, id); });
  }

  Result<std::vector<Webhook>> List(int64_t max_results, std::string& page_token) override {
    if (max_results < 1 || max_results > 1000) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: It must be between 1 and 1000", max_results));
    int64_t before = INT64_MAX;
    std::string after;
    if (!page_token.empty()) {
      const auto bytes = Base64Decode(page_token);
      if (!bytes) return Fail(Code::kInvalid, "Invalid page token, could not base64-decode");
      const auto token = ParseJson(*bytes);
      if (!token || !token->IsArray() || token->size() != 2 || !token->AsArray()[0].IsInt()) return Fail(Code::kInvalid, "Invalid page token, parsed value=" + bytes->substr(0, 200));
      before = token->AsArray()[0].AsInt();
      after = token->AsArray()[1].AsString();
    }
    page_token.clear();
    std::vector<Webhook> out;
    RONDO_DO(db_.Read([&](db::Session& s) -> Status {
      RONDO_DO(s.Query(kPage, {before, after, max_results + 1}, [&](const db::Row& r) {
        out.push_back(Read(r));
        return true;
      }));
      for (Webhook& w : out) RONDO_DO(AddEvents(s, w));
      return {};
    }));
    if (static_cast<int64_t>(out.size()) > max_results) {
      out.pop_back();
      page_token = Base64Encode(Json::MakeArray().Push(out.back().creation_time).Push(out.back().webhook_id).Dump());
    }
    return out;
  }

  Result<Webhook> Update(const std::string& id, const WebhookChange& change) override {
    RONDO_DO(CheckChange(change, options_.allow_private));
    db::Value secret;
    if (change.secret) {
      RONDO_TRY(std::string sealed, Sealed(*change.secret));
      secret = std::move(sealed);
    }
    return db::Store<Webhook>(db_, [&](db::Session& s) -> Result<Webhook> {
      RONDO_TRY(const Webhook before, Load(s, id));
      RONDO_DO(Do(s, kUpdate, {before.webhook_id, change.name, change.description, change.url, change.status, secret, clock_.NowMs()}));
      if (change.events) {
        RONDO_DO(Do(s, kDeleteEvents, {id}));
        for (const std::string& event : *change.events) RONDO_DO(Do(s, kInsertEvent, {event, id}));
      }
      return Load(s, id);
    });
  }

  Status Delete(const std::string& id) override {
    return db_.Write([&](db::Session& s) -> Status {
      RONDO_TRY(const Webhook w, Load(s, id));
      for (const std::string_view sql : {kDeleteDeliveries, kDeleteEvents, kDelete}) RONDO_DO(Do(s, sql, {w.webhook_id}));
      return {};
    });
  }

  Result<std::string> Secret(const std::string& id) override {
    RONDO_TRY(const auto sealed, db::Fetch<std::optional<std::string>>(db_, [&](db::Session& s) { return s.QueryText(kSecret, {id}); }));
    if (!sealed || sealed->empty()) return std::string();
    RONDO_TRY(const std::string key, options_.key());
    return Unseal(key, kPurpose, *sealed);
  }

  Result<std::vector<WebhookDelivery>> Due(int64_t now, int64_t most) override {
    std::vector<WebhookDelivery> out;
    RONDO_DO(db_.Read([&](db::Session& s) {
      return s.Query(kDue, {now, most}, [&](const db::Row& r) {
        out.push_back({r.Int(0), r.String(1), r.String(2), r.String(3), r.String(4), r.String(5), r.String(6), r.Int(7), r.Int(8), r.Int(9)});
        return true;
      });
    }));
    return out;
  }
  Status Delivered(int64_t delivery) override {
    return db_.Write([&](db::Session& s) { return Do(s, kDelivered, {delivery}); });
  }
  Status Failed(int64_t delivery, const std::string& error, std::optional<int64_t> due) override {
    return db_.Write([&](db::Session& s) { return due ? Do(s, kRetry, {delivery, error.substr(0, kMaxError), *due}) : Do(s, kFailed, {delivery, error.substr(0, kMaxError)}); });
  }
  Status Forget(int64_t before) override {
    return db_.Write([&](db::Session& s) { return Do(s, kForget, {before}); });
  }
  const WebhookOptions& options() const override { return options_; }

 private:
  Result<std::string> Sealed(const std::string& secret) const {
    if (secret.empty()) return secret;
    RONDO_TRY(const std::string key, options_.key());
    return Seal(key, kPurpose, secret);
  }

  db::Database& db_;
  Clock& clock_;
  WebhookOptions options_;
};

}  // namespace

std::unique_ptr<Webhooks> MakeWebhooks(db::Database& db, Clock& clock, WebhookOptions options) { return std::make_unique<WebhookStore>(db, clock, std::move(options)); }

}  // namespace rondo::registry
