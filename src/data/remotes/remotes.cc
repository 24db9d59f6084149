// The table of remotes and the reading of their configuration.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/nearest.h"
#include "data/remotes/remote.h"
#include "net/client.h"

namespace rondo::data::remotes {
namespace {

constexpr std::string_view kCommonKeys[] = {"url", "jobs", "checksum_jobs", "worktree", "version_aware", "verify"};
/// What DVC has by plug-ins.
constexpr std::string_view kOthers[] = {"gs", "gcs", "azure", "abfs", "ssh", "hdfs", "webhdfs", "webdav", "webdavs", "gdrive", "oss"};

}  // namespace

const std::vector<RemoteKind>& Kinds() {
  static const std::vector<std::string_view> http = {"auth", "custom_auth_header", "user", "password", "ask_password", "ssl_verify", "method", "read_timeout", "connect_timeout"};
  static const std::vector<RemoteKind> kinds = {
      {"", {"type", "shared", "slow_link_warning"}, OpenLocalRemote},
      {"s3",
       {"region", "profile", "credentialpath", "configpath", "endpointurl", "access_key_id", "secret_access_key", "session_token", "listobjects", "use_ssl", "ssl_verify", "sse", "sse_kms_key_id",
        "sse_customer_algorithm", "sse_customer_key", "acl", "grant_read", "grant_read_acp", "grant_write_acp", "grant_full_control", "cache_regions", "read_timeout", "connect_timeout",
        "max_threads", "allow_anonymous_login"},
       OpenS3Remote},
      {"http", http, OpenHttpRemote},
      {"https", http, OpenHttpRemote},
  };
  return kinds;
}

std::string SchemeOf(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == url.npos || colon == 0) return {};
  return std::string(url.substr(0, colon));
}

Result<bool> FlagOf(const RemoteKeys& keys, const std::string& key, bool otherwise) {
  const auto it = keys.find(key);
  if (it == keys.end()) return otherwise;
  std::string text = it->second;
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return Fail(Code::kInvalid, fmt::format("configuration error: {} of the remote is \"{}\", neither true nor false", key, it->second));
}

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.size() > 4096) return false;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; });
}

Result<std::string> DefaultRemote(const dvc::Config& config) {
  if (const auto name = config.Get("core", "remote"); name && !name->empty()) return *name;
  // DVC takes no remote by itself, even when there is only one.
  return Fail(Code::kInvalid, "no remote specified in the repository", "set up a default one with `dvc remote default NAME` or name it with -r");
}

Result<RemoteKeys> ResolveRemote(const dvc::Config& config, const std::string& name) {
  RemoteKeys keys;
  std::string at = name, below;
  for (int depth = 0;; ++depth) {
    if (depth > 8) return Fail(Code::kInvalid, fmt::format("configuration error: the remote '{}' refers to itself", name));
    const std::string section = dvc::RemoteSection(at);
    const auto found = config.Section(section);
    if (found.empty()) return Fail(Code::kInvalid, fmt::format("remote '{}' doesn't exist", at), "`dvc remote list` shows those that do");
    for (const auto& [k, v] : found) keys.try_emplace(k, v);  // the outer remote's own keys win
    const auto url = config.Find(section, "url");
    if (!url || url->value.empty()) return Fail(Code::kInvalid, fmt::format("configuration error: the remote '{}' has no url", at));
    if (url->value.starts_with("remote://")) {
      const std::string rest = url->value.substr(9);
      const size_t slash = std::min(rest.find('/'), rest.size());
      at = rest.substr(0, slash);
      below = rest.substr(slash) + below;
      keys.erase("url");
      continue;
    }
    std::string value = url->value;
    if (SchemeOf(value).empty()) {
      if (value.starts_with("~/") || value == "~") value = std::string(std::getenv("HOME") ? std::getenv("HOME") : "") + value.substr(1);
      value = fs::path(value).is_absolute() ? value : (url->folder / value).lexically_normal().string();
    }
    while (!below.empty() && value.ends_with('/')) value.pop_back();
    keys["url"] = value + below;
    return keys;
  }
}

Result<std::unique_ptr<Remote>> OpenRemote(const dvc::Config& config, const std::string& name) {
  std::string chosen = name;
  if (chosen.empty()) {
    RONDO_TRY(chosen, DefaultRemote(config));
  }
  RONDO_TRY(const RemoteKeys keys, ResolveRemote(config, chosen));
  const std::string scheme = SchemeOf(keys.at("url"));
  for (const RemoteKind& kind : Kinds()) {
    if (kind.scheme != scheme) continue;
    std::vector<std::string_view> known(std::begin(kCommonKeys), std::end(kCommonKeys));
    known.insert(known.end(), kind.keys.begin(), kind.keys.end());
    for (const auto& [key, value] : keys) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string near = Nearest(key, known);
      return Fail(Code::kInvalid, fmt::format("configuration error: extra keys not allowed @ data['remote']['{}']['{}']", chosen, key), near.empty() ? "" : "did you mean " + near + "?");
    }
    for (const char* key : {"worktree", "version_aware"}) {
      RONDO_TRY(const bool on, FlagOf(keys, key, false));
      if (on) return Fail(Code::kUnsupported, fmt::format("the remote '{}' has {} = true: cloud-versioned remotes are not covered", chosen, key), "use DVC itself for this remote");
    }
    return kind.open(keys);
  }
  if (std::find(std::begin(kOthers), std::end(kOthers), scheme) != std::end(kOthers))
    return Fail(Code::kUnsupported, fmt::format("remotes of the kind {}:// are not covered ('{}')", scheme, chosen), "covered are folders, s3://, http:// and https:// (read)");
  return Fail(Code::kInvalid, fmt::format("the url of remote '{}' has the unknown scheme {}://", chosen, scheme), "covered are folders, s3://, http:// and https:// (read)");
}

}  // namespace rondo::data::remotes
