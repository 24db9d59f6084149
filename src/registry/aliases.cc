// Aliases and their history; references like "churn@champion".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "registry/store.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kGet = "SELECT version FROM model_alias WHERE model = $1 AND alias = $2";
constexpr std::string_view kPut = "INSERT INTO model_alias (model, alias, version) VALUES ($1, $2, $3) ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version";
constexpr std::string_view kDelete = "DELETE FROM model_alias WHERE model = $1 AND alias = $2";
constexpr std::string_view kRecord = "INSERT INTO alias_history (model, alias, from_version, to_version, time, actor, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kHistory =
    "SELECT alias, from_version, to_version, time, actor, reason FROM alias_history WHERE model = $1 AND ($2 = '' OR alias = $2) ORDER BY id DESC";
constexpr std::string_view kNewest = "SELECT max(version) FROM model_version WHERE model = $1 AND stage <> 'Deleted_Internal'";

bool AllDigits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }); }

bool IsLatest(std::string_view alias) {
  constexpr std::string_view kLatest = "latest";
  return std::equal(alias.begin(), alias.end(), kLatest.begin(), kLatest.end(), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

Status CheckAlias(const std::string& alias) {
  if (alias.empty()) return Fail(Code::kInvalid, "Registered model alias name cannot be empty.");
  for (const char c : alias) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!ok) return Fail(Code::kInvalid, fmt::format("Invalid alias name: '{}'. Names may only contain alphanumerics, underscores (_), and dashes (-).", alias.substr(0, 300)));
  }
  if (alias.size() > 255) return Fail(Code::kInvalid, "'Registered model alias name' exceeds the maximum length of 255 characters");
  if (IsLatest(alias)) return Fail(Code::kInvalid, "'latest' alias name (case insensitive) is reserved.");
  if ((alias[0] == 'v' || alias[0] == 'V') && AllDigits(std::string_view(alias).substr(1))) return Fail(Code::kInvalid, fmt::format("Version alias name '{}' is reserved.", alias));
  return {};
}

Status SetAlias(db::Session& s, int64_t now, const std::string& name, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason) {
  RONDO_DO(CheckAlias(alias));
  RONDO_TRY(const int64_t model, FindVersion(s, name, version));
  RONDO_TRY(const auto before, s.QueryInt(kGet, {model, alias}));
  if (before == version) return {};
  RONDO_DO(Do(s, kPut, {model, alias, version}));
  RONDO_DO(Do(s, kRecord, {name, alias, before, version, now, actor, reason}));
  RONDO_DO(AnnounceChange(s, now, model, "model_version_alias.created", Json::MakeObject().Set("name", name).Set("alias", alias).Set("version", std::to_string(version))));
  return TouchModel(s, model, now);
}

Status DeleteAlias(db::Session& s, int64_t now, const std::string& name, const std::string& alias, const std::string& actor, const std::string& reason) {
  RONDO_TRY(const int64_t model, FindModel(s, name));
  RONDO_TRY(const auto before, s.QueryInt(kGet, {model, alias}));
  if (!before) return {};
  RONDO_DO(Do(s, kDelete, {model, alias}));
  RONDO_DO(Do(s, kRecord, {name, alias, before, nullptr, now, actor, reason}));
  RONDO_DO(AnnounceChange(s, now, model, "model_version_alias.deleted", Json::MakeObject().Set("name", name).Set("alias", alias)));
  return TouchModel(s, model, now);
}

Status Store::SetAlias(const std::string& name, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason) {
  return db_.Write([&](db::Session& s) { return registry::SetAlias(s, clock_.NowMs(), name, alias, version, actor, reason); });
}

Status Store::DeleteAlias(const std::string& name, const std::string& alias, const std::string& actor, const std::string& reason) {
  return db_.Write([&](db::Session& s) { return registry::DeleteAlias(s, clock_.NowMs(), name, alias, actor, reason); });
}

Result<Version> Store::VersionByAlias(const std::string& name, const std::string& alias) {
  return db::Fetch<Version>(db_, [&](db::Session& s) -> Result<Version> {
    RONDO_TRY(const int64_t model, FindModel(s, name));
    RONDO_TRY(auto version, s.QueryInt(kGet, {model, alias}));
    if (!version && IsLatest(alias)) {
      RONDO_TRY(version, s.QueryInt(kNewest, {model}));
      if (!version) return Fail(Code::kNotFound, fmt::format("Latest version not found for model {}.", name));
    }
    if (!version) return Fail(Code::kNotFound, fmt::format("Registered model alias {} not found.", alias));
    return LoadVersion(s, model, *version);
  });
}

Result<std::vector<AliasChange>> Store::AliasHistory(const std::string& name, const std::string& alias) {
  std::vector<AliasChange> out;
  RONDO_DO(db_.Read([&](db::Session& s) {
    return s.Query(kHistory, {name, alias}, [&](const db::Row& r) {
      out.push_back({name, r.String(0), r.OptInt(1), r.OptInt(2), r.Int(3), r.String(4), r.String(5)});
      return true;
    });
  }));
  return out;
}

Result<ModelRef> ParseModelRef(const std::string& text) {
  const auto wrong = [&](const char* why) {
    return Fail(Code::kInvalid, fmt::format("\"{}\" is no model reference: {}", text.substr(0, 200), why), "write name@alias, name/version or name");
  };
  ModelRef ref;
  const size_t at = text.rfind('@');
  const size_t slash = text.rfind('/');
  if (at != std::string::npos) {
    ref.name = text.substr(0, at);
    ref.alias = text.substr(at + 1);
    if (ref.alias.empty()) return wrong("the alias is missing");
  } else if (slash != std::string::npos) {
    ref.name = text.substr(0, slash);
    const std::string number = text.substr(slash + 1);
    int64_t version = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), version);
    if (error != std::errc() || end != number.data() + number.size() || version < 1) return wrong("the version is no number");
    ref.version = version;
  } else {
    ref.name = text;
  }
  if (!CheckModelName(ref.name)) return wrong("the name is missing or has a character that names cannot have");
  return ref;
}

Result<Version> Resolve(Registry& registry, const ModelRef& ref) {
  if (ref.version) return registry.GetVersion(ref.name, *ref.version);
  if (!ref.alias.empty()) return registry.VersionByAlias(ref.name, ref.alias);
  auto champion = registry.VersionByAlias(ref.name, "champion");
  if (champion || champion.error().code != Code::kNotFound) return champion;
  return registry.VersionByAlias(ref.name, "latest");
}

}  // namespace rondo::registry
