// /mlflow/webhooks
#include <fmt/format.h>

#include <algorithm>

#include "api/mlflow.h"
#include "registry/webhook_sender.h"
#include "registry/webhooks.h"

namespace rondo::api::mlflow {
namespace {

/// Names of MLflow's enumerations are upper case; they may also come as numbers.
constexpr std::string_view kEntities[] = {"ENTITY_UNSPECIFIED", "REGISTERED_MODEL", "MODEL_VERSION", "MODEL_VERSION_TAG", "MODEL_VERSION_ALIAS", "PROMPT", "PROMPT_VERSION", "PROMPT_TAG", "PROMPT_VERSION_TAG", "PROMPT_ALIAS"};
constexpr std::string_view kActions[] = {"ACTION_UNSPECIFIED", "CREATED", "UPDATED", "DELETED", "SET"};

std::string Changed(std::string_view text, char from, int by) {
  std::string out(text);
  for (char& c : out)
    if (c >= from && c <= from + 25) c = static_cast<char>(c + by);
  return out;
}
std::string Lower(std::string_view text) { return Changed(text, 'A', 32); }
std::string Upper(std::string_view text) { return Changed(text, 'a', -32); }

Result<std::string> EnumName(const Args& args, std::string_view field, std::span<const std::string_view> names) {
  RONDO_TRY(const std::string text, args.Required(field));
  for (size_t i = 0; i < names.size(); ++i)
    if (text == std::to_string(i)) return Lower(names[i]);
  return Lower(text);
}

Result<std::string> EventOf(const Args& args) {
  RONDO_TRY(const std::string entity, EnumName(args, "entity", kEntities));
  RONDO_TRY(const std::string action, EnumName(args, "action", kActions));
  return entity + "." + action;
}

Json WireEvent(const std::string& name) {
  const size_t dot = name.find('.');
  return Json::MakeObject().Set("entity", Upper(std::string_view(name).substr(0, dot))).Set("action", Upper(std::string_view(name).substr(dot + 1)));
}

/// Never the secret.
Json WireWebhook(const registry::Webhook& w) {
  Json events = Json::MakeArray();
  for (const std::string& event : w.events) events.Push(WireEvent(event));
  Json out = Json::MakeObject().Set("webhook_id", w.webhook_id).Set("name", w.name);
  SetSome(out, "description", w.description);
  return out.Set("url", w.url).Set("events", std::move(events)).Set("status", w.status).Set("creation_timestamp", w.creation_time).Set("last_updated_timestamp", w.last_update_time);
}
Json One(const registry::Webhook& w) { return Json::MakeObject().Set("webhook", WireWebhook(w)); }

Result<registry::WebhookChange> ChangeOf(const Args& args) {
  registry::WebhookChange change;
  const auto take = [&](std::string_view name, std::optional<std::string>& into) -> Status {
    if (!args.Has(name)) return {};
    RONDO_TRY(into, args.Text(name));
    return {};
  };
  RONDO_DO(take("name", change.name));
  RONDO_DO(take("description", change.description));
  RONDO_DO(take("url", change.url));
  RONDO_DO(take("secret", change.secret));
  RONDO_DO(take("status", change.status));
  if (change.status == "1") change.status = "ACTIVE";
  if (change.status == "2") change.status = "DISABLED";
  RONDO_TRY(const auto events, args.Objects("events"));
  if (events.empty()) return change;
  change.events.emplace();
  for (const Args& e : events) {
    RONDO_TRY(std::string name, EventOf(e));
    change.events->push_back(std::move(name));
  }
  return change;
}

Result<registry::Webhooks*> StoreOf(Request& r) {
  if (!r.call.context().webhooks) return Fail(Code::kUnsupported, "this server has no webhooks");
  return r.call.context().webhooks;
}

Result<Json> Create(Request& r) {
  RONDO_TRY(registry::Webhooks* const store, StoreOf(r));
  for (const char* name : {"name", "url"}) {
    RONDO_TRY(const std::string text, r.args.Required(name));
    (void)text;
  }
  RONDO_TRY(const auto change, ChangeOf(r.args));
  if (!change.events) return Fail(Code::kInvalid, "Missing value for required parameter 'events'. See the API docs for more information about request parameters.");
  RONDO_TRY(const auto webhook, store->Create(change));
  RONDO_DO(Audit(r, "webhook.create", "webhook " + webhook.name, {}, Json::MakeObject().Set("url", webhook.url)));
  return One(webhook);
}

Result<Json> Get(Request& r) {
  RONDO_TRY(registry::Webhooks* const store, StoreOf(r));
  RONDO_TRY(const auto webhook, store->Get(r.call.Path("id")));
  return One(webhook);
}

Result<Json> List(Request& r) {
  RONDO_TRY(registry::Webhooks* const store, StoreOf(r));
  RONDO_TRY(const int64_t most, r.args.Int("max_results", 100));
  RONDO_TRY(std::string token, r.args.Text("page_token"));
  RONDO_TRY(const auto found, store->List(most, token));
  Json list = Json::MakeArray();
  for (const auto& w : found) list.Push(WireWebhook(w));
  Json out = Json::MakeObject();
  SetSome(out, "webhooks", std::move(list));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<Json> Update(Request& r) {
  RONDO_TRY(registry::Webhooks* const store, StoreOf(r));
  RONDO_TRY(const auto change, ChangeOf(r.args));
  RONDO_TRY(const auto before, store->Get(r.call.Path("id")));
  RONDO_TRY(const auto webhook, store->Update(r.call.Path("id"), change));
  RONDO_DO(Audit(r, "webhook.update", "webhook " + webhook.name, Json::MakeObject().Set("url", before.url), Json::MakeObject().Set("url", webhook.url)));
  return One(webhook);
}

Result<Json> Delete(Request& r) {
  RONDO_TRY(registry::Webhooks* const store, StoreOf(r));
  RONDO_TRY(const auto before, store->Get(r.call.Path("id")));
  RONDO_DO(store->Delete(before.webhook_id));
  RONDO_DO(Audit(r, "webhook.delete", "webhook " + before.name, Json::MakeObject().Set("url", before.url)));
  return Json::MakeObject();
}

Result<Json> Test(Request& r) {
  if (!r.call.context().webhook_sender) return Fail(Code::kUnsupported, "this server has no webhooks");
  RONDO_TRY(const Args object, r.args.Object("event"));
  std::string event;
  if (object.Has("entity")) {
    RONDO_TRY(event, EventOf(object));
  }
  RONDO_TRY(const auto answer, r.call.context().webhook_sender->Test(r.call.Path("id"), event));
  Json result = Json::MakeObject().Set("success", answer.success);
  if (answer.status) result.Set("response_status", static_cast<int64_t>(*answer.status)).Set("response_body", answer.body);
  SetSome(result, "error_message", answer.error);
  return Json::MakeObject().Set("result", std::move(result));
}

// Receivers see names and descriptions of all models: rights on the whole server.
constexpr Row kRows[] = {
    {"POST", "/webhooks", Permission::kManage | Scope::kServer, "Make a webhook", Create},
    {"GET", "/webhooks", Permission::kManage | Scope::kServer, "All webhooks", List},
    {"GET", "/webhooks/{id}", Permission::kManage | Scope::kServer, "One webhook", Get},
    {"PATCH", "/webhooks/{id}", Permission::kManage | Scope::kServer, "Change a webhook", Update},
    {"DELETE", "/webhooks/{id}", Permission::kManage | Scope::kServer, "Delete a webhook", Delete},
    {"POST", "/webhooks/{id}/test", Permission::kManage | Scope::kServer, "Call a webhook with example data", Test},
};

}  // namespace

void AddWebhooks(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
