// API tokens: random, kept as HMACs, shown once.
#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "govern/accounts_store.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kInsert = "INSERT INTO access_token (id, account, name, hash, created, expires, last_used, created_by) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)";
constexpr std::string_view kFind = "SELECT a.name || ' (' || t.name || ')' FROM access_token t JOIN account a ON a.id = t.account WHERE t.id = $1";
constexpr std::string_view kDelete = "DELETE FROM access_token WHERE id = $1";
constexpr std::string_view kUse = "UPDATE access_token SET last_used = $2 WHERE id = $1";
constexpr std::string_view kCount = "SELECT count(*) FROM access_token WHERE account = $1";
constexpr int64_t kMostTokens = 1000;

}  // namespace

Result<NewToken> AccountStore::CreateToken(const std::string& actor, const std::string& account, const std::string& name, int64_t expires) {
  if (name.empty() || name.size() > 100) return Fail(Code::kInvalid, "a token needs a name of 1 to 100 characters", "say what it is for: \"nightly training\"");
  const int64_t now = clock_.NowMs();
  if (expires != 0 && expires <= now) return Fail(Code::kInvalid, fmt::format("the token would have expired already ({})", FormatTime(expires)));
  RONDO_TRY(const Account owner, Get(account));
  NewToken out;
  // The id is public (lists, audit log); the rest is 160 random bits.
  out.token = {RandomHex(4), owner.name, name, now, expires, 0, actor};
  out.secret = "rdo_" + out.token.id + "_" + RandomHex(20);
  RONDO_DO(Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const int64_t id, AccountId(s, account));
    RONDO_TRY(const auto count, s.QueryInt(kCount, {id}));
    if (count.value_or(0) >= kMostTokens) return Fail(Code::kInvalid, fmt::format("{} has {} tokens already", owner.name, kMostTokens), "revoke those that are no longer used");
    RONDO_DO(Run(s, kInsert, {out.token.id, id, name, Hash("token", out.secret), now, expires, actor}));
    Json after = Json::MakeObject().Set("user", owner.name).Set("name", name);
    if (expires) after.Set("expires", FormatTime(expires));
    return Entry("token.create", "token " + out.token.id, {}, std::move(after));
  }));
  return out;
}

std::vector<Token> AccountStore::Tokens(const std::string& account) {
  const auto now = Now();
  std::vector<Token> out;
  {
    std::lock_guard lock(use_mutex_);
    for (const auto& [hash, row] : now->tokens) {
      if (!account.empty() && LowerName(row.token.account) != LowerName(account)) continue;
      out.push_back(row.token);
      if (const auto it = used_.find(row.token.id); it != used_.end()) out.back().last_used = std::max(out.back().last_used, it->second);
    }
  }
  std::ranges::sort(out, [](const Token& a, const Token& b) { return std::tie(a.created, a.id) < std::tie(b.created, b.id); });
  return out;
}

Status AccountStore::RevokeToken(const std::string& actor, const std::string& id) {
  return Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const auto text, s.QueryText(kFind, {id}));
    if (!text) return Fail(Code::kNotFound, fmt::format("there is no token {}", id.substr(0, 40)), "`rondo token list` shows the ids");
    RONDO_DO(Run(s, kDelete, {id}));
    return Entry("token.revoke", "token " + id, Json(*text));
  });
}

Status AccountStore::FlushUse() {
  std::vector<std::pair<std::string, int64_t>> changed;
  {
    std::lock_guard lock(use_mutex_);
    for (const auto& [id, time] : used_)
      if (flushed_[id] != time) changed.emplace_back(id, time);
    for (const auto& [id, time] : changed) flushed_[id] = time;
  }
  if (changed.empty()) return {};
  return db_.Write([&](db::Session& s) -> Status {
    for (const auto& [id, time] : changed) RONDO_DO(Run(s, kUse, {id, time}));
    return {};
  });
}

}  // namespace rondo::govern
