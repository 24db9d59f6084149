// The events that webhooks can ask for, and how a change puts them into the outbox.
#include <fmt/format.h>

#include <ctime>

#include "base/id.h"
#include "registry/store.h"
#include "registry/webhooks.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kModel = R"({"name": "example_model", "tags": {"example_key": "example_value"}, "description": "An example registered model"})";
constexpr std::string_view kVersion =
    R"({"name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678", "tags": {"example_key": "example_value"}, "description": "An example model version"})";
constexpr std::string_view kVersionTag = R"({"name": "example_model", "version": "1", "key": "example_key", "value": "example_value"})";
constexpr std::string_view kVersionTagGone = R"({"name": "example_model", "version": "1", "key": "example_key"})";
constexpr std::string_view kAlias = R"({"name": "example_model", "alias": "example_alias", "version": "1"})";
constexpr std::string_view kAliasGone = R"({"name": "example_model", "alias": "example_alias"})";
constexpr std::string_view kPrompt = R"({"name": "example_prompt", "tags": {"example_key": "example_value"}, "description": "An example prompt"})";
constexpr std::string_view kPromptVersion =
    R"({"name": "example_prompt", "version": "1", "template": "Hello {{name}}!", "tags": {"example_key": "example_value"}, "description": "An example prompt version"})";
constexpr std::string_view kPromptTag = R"({"name": "example_prompt", "key": "example_key", "value": "example_value"})";
constexpr std::string_view kPromptTagGone = R"({"name": "example_prompt", "key": "example_key"})";
constexpr std::string_view kPromptVersionTag = R"({"name": "example_prompt", "version": "1", "key": "example_key", "value": "example_value"})";
constexpr std::string_view kPromptVersionTagGone = R"({"name": "example_prompt", "version": "1", "key": "example_key"})";
constexpr std::string_view kPromptAlias = R"({"name": "example_prompt", "alias": "example_alias", "version": "1"})";
constexpr std::string_view kPromptAliasGone = R"({"name": "example_prompt", "alias": "example_alias"})";

constexpr WebhookEvent kEvents[] = {
    {"registered_model", "created", kModel},
    {"model_version", "created", kVersion},
    {"model_version_tag", "set", kVersionTag},
    {"model_version_tag", "deleted", kVersionTagGone},
    {"model_version_alias", "created", kAlias},
    {"model_version_alias", "deleted", kAliasGone},
    {"prompt", "created", kPrompt},
    {"prompt_version", "created", kPromptVersion},
    {"prompt_tag", "set", kPromptTag},
    {"prompt_tag", "deleted", kPromptTagGone},
    {"prompt_version_tag", "set", kPromptVersionTag},
    {"prompt_version_tag", "deleted", kPromptVersionTagGone},
    {"prompt_alias", "created", kPromptAlias},
    {"prompt_alias", "deleted", kPromptAliasGone},
};

constexpr std::string_view kSubscribed = "SELECT w.id FROM webhook_event e JOIN webhook w ON w.id = e.webhook WHERE e.event = $1 AND w.status = 'ACTIVE' ORDER BY w.creation_time, w.id";
constexpr std::string_view kInsert =
    "INSERT INTO webhook_delivery (webhook, delivery_id, event, payload, state, attempts, due_time, creation_time, last_error) VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5, '')";

std::string IsoTime(int64_t ms) {
  const time_t seconds = ms / 1000;
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}000+00:00", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

constexpr std::string_view kIsPrompt = "SELECT 1 FROM registered_model_tag WHERE model = $1 AND key = 'mlflow.prompt.is_prompt' AND lower(value) = 'true'";

struct PromptName {
  std::string_view model, prompt;
};
constexpr PromptName kPromptNames[] = {
    {"registered_model.created", "prompt.created"},
    {"model_version.created", "prompt_version.created"},
    {"model_version_tag.set", "prompt_version_tag.set"},
    {"model_version_tag.deleted", "prompt_version_tag.deleted"},
    {"model_version_alias.created", "prompt_alias.created"},
    {"model_version_alias.deleted", "prompt_alias.deleted"},
    {"registered_model_tag.set", "prompt_tag.set"},
    {"registered_model_tag.deleted", "prompt_tag.deleted"},
};
constexpr std::string_view kAnyWebhook = "SELECT 1 FROM webhook LIMIT 1";

/// A prompt's text is a tag of its version; the tags that make it a prompt are not told.
void MakePromptData(Json& data) {
  Json tags = Json::MakeObject();
  Json text;
  for (const auto& [key, value] : data["tags"].AsObject()) {
    if (key == "mlflow.prompt.text") text = value;
    if (!key.starts_with("mlflow.prompt.") && key != "_mlflow_prompt_type") tags.Set(key, value);
  }
  Json out = Json::MakeObject().Set("name", data["name"]);
  if (!data["version"].IsNull()) out.Set("version", data["version"]).Set("template", std::move(text));
  out.Set("tags", std::move(tags)).Set("description", data["description"]);
  data = std::move(out);
}

}  // namespace

Status AnnounceChange(db::Session& s, int64_t now, int64_t model, std::string_view event, Json data) {
  RONDO_TRY(const auto any, s.QueryInt(kAnyWebhook));
  if (!any) return {};
  RONDO_TRY(const auto prompt, s.QueryInt(kIsPrompt, {model}));
  if (!prompt) return FindWebhookEvent(event) ? Announce(s, now, event, data) : Status();
  for (const PromptName& name : kPromptNames) {
    if (name.model != event) continue;
    if (data["tags"].IsObject()) MakePromptData(data);
    return Announce(s, now, name.prompt, data);
  }
  return {};
}

std::span<const WebhookEvent> WebhookEvents() { return kEvents; }

const WebhookEvent* FindWebhookEvent(std::string_view name) {
  for (const WebhookEvent& e : kEvents)
    if (e.Name() == name) return &e;
  return nullptr;
}

std::string WebhookPayload(const WebhookEvent& event, int64_t now, const Json& data) {
  return Json::MakeObject().Set("entity", std::string(event.entity)).Set("action", std::string(event.action)).Set("timestamp", IsoTime(now)).Set("data", data).Dump();
}

Status Announce(db::Session& s, int64_t now, std::string_view event, const Json& data) {
  std::vector<std::string> to;
  RONDO_DO(s.Query(kSubscribed, {event}, [&](const db::Row& r) {
    to.push_back(r.String(0));
    return true;
  }));
  if (to.empty()) return {};
  const WebhookEvent* known = FindWebhookEvent(event);
  if (!known) return Fail(Code::kInternal, fmt::format("there is no webhook event \"{}\"", event));
  const std::string payload = WebhookPayload(*known, now, data);
  for (const std::string& webhook : to) RONDO_DO(Do(s, kInsert, {webhook, NewUuid(), event, payload, now}));
  return {};
}

}  // namespace rondo::registry
