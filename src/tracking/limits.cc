#include "tracking/limits.h"

#include <fmt/format.h>

#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"

namespace rondo::tracking {
namespace {

std::unexpected<Error> Bad(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

std::string JsonText(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

/// POSIX path normalisation: "a//b/./c/.." is "a/b".
std::string Normalised(std::string_view path) {
  if (path.empty()) return ".";
  const bool absolute = path.front() == '/';
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string out = absolute ? (path.starts_with("//") && !path.starts_with("///") ? "//" : "/") : "";
  for (size_t i = 0; i < parts.size(); ++i) out += (i ? "/" : "") + std::string(parts[i]);
  return out.empty() ? "." : out;
}

bool KeyCharacter(unsigned char c) {
  // Letters of other scripts count as letters (they do for MLflow); every byte of theirs is above 0x7f.
  return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' || c == '-' || c == ' ' || c == ':';
}

}  // namespace

size_t Characters(std::string_view utf8) {
  size_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

Status CheckKey(std::string_view path, std::string_view key) {
  for (const char c : key)
    if (!KeyCharacter(static_cast<unsigned char>(c)))
      return Bad(fmt::format("Invalid value {} for parameter '{}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
                             JsonText(key.substr(0, 500)), path));
  const std::string normal = Normalised(key);
  if (normal != key || normal == "." || normal.starts_with("..") || normal.starts_with("/"))
    return Bad(fmt::format("Invalid value {} for parameter '{}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
                           "This name would resolve to '{}'",
                           JsonText(key.substr(0, 500)), path, normal.substr(0, 500)));
  return {};
}

Status CheckLength(std::string_view what, size_t limit, std::string_view value) {
  if (Characters(value) <= limit) return {};
  return Bad(fmt::format("'{}' exceeds the maximum length of {} characters", what, limit));
}

std::string Truncated(std::string_view value, size_t limit) {
  if (value.size() <= limit || Characters(value) <= limit) return std::string(value);
  size_t n = 0, at = 0;
  for (; at < value.size(); ++at)
    if ((static_cast<unsigned char>(value[at]) & 0xc0) != 0x80 && ++n > limit) break;
  return std::string(value.substr(0, at));
}

Status CheckBatch(const LogBatch& batch) {
  const auto check = [](std::string_view what, size_t n, size_t limit) -> Status {
    if (n <= limit) return {};
    return Bad(fmt::format("A batch logging request can contain at most {} {}. Got {} {}. Please split up {} across multiple requests and try again.", limit, what, n, what, what));
  };
  RONDO_DO(check("metrics", batch.metrics.size(), kMaxBatchMetrics));
  RONDO_DO(check("params", batch.params.size(), kMaxBatchParams));
  RONDO_DO(check("tags", batch.tags.size(), kMaxBatchTags));
  const size_t total = batch.metrics.size() + batch.params.size() + batch.tags.size();
  if (total > kMaxBatch)
    return Bad(fmt::format("A batch logging request can contain at most {} metrics, params, and tags in total. Got {} entities. Please split up entities across multiple requests and try again.", kMaxBatch, total));
  const bool single = total == 1;
  for (size_t i = 0; i < batch.metrics.size(); ++i) {
    const Metric& m = batch.metrics[i];
    const std::string path = single ? "" : fmt::format("metrics[{}].", i);
    RONDO_DO(CheckKey(path + "name", m.key));
    RONDO_DO(CheckLength("Metric name", kMaxKey, m.key));
    if (m.timestamp < 0)
      return Bad(fmt::format("Invalid value {} for parameter '{}timestamp' supplied: metric '{}' (value={}). Timestamp must be a nonnegative long (64-bit integer) ", m.timestamp, path, m.key, m.value));
  }
  std::set<std::string_view> keys;
  for (size_t i = 0; i < batch.params.size(); ++i) {
    RONDO_DO(CheckKey(single ? "key" : fmt::format("params[{}].key", i), batch.params[i].key));
    RONDO_DO(CheckLength("Param key", kMaxKey, batch.params[i].key));
    if (!keys.insert(batch.params[i].key).second)
      return Bad(fmt::format("Duplicate parameter keys have been submitted: ['{}']. Please ensure the request contains only one param value per param key.", batch.params[i].key));
  }
  for (size_t i = 0; i < batch.tags.size(); ++i) {
    const std::string path = single ? "key" : fmt::format("tags[{}].key", i);
    RONDO_DO(CheckKey(path, batch.tags[i].key));
    RONDO_DO(CheckLength(path, kMaxKey, batch.tags[i].key));
  }
  return {};
}

Status CheckExperimentName(const std::string& name) {
  if (name.empty()) return Bad("Invalid experiment name: ''. Name must be a non-empty string.");
  return CheckLength("name", kMaxExperimentName, name);
}

Status CheckInput(const DatasetInput& d) {
  if (d.name.empty()) return Bad("Dataset name cannot be empty");
  if (d.digest.empty()) return Bad("Dataset digest cannot be empty");
  const auto check = [](std::string_view what, size_t limit, const std::string& value) -> Status {
    if (Characters(value) <= limit) return {};
    return Bad(fmt::format("Dataset {} exceeds the maximum length of {}", what, limit));
  };
  RONDO_DO(check("name", 500, d.name));
  RONDO_DO(check("digest", 36, d.digest));
  RONDO_DO(check("source", 65'535, d.source));
  RONDO_DO(check("schema", 1'048'575, d.schema));
  RONDO_DO(check("profile", 16'777'215, d.profile));
  for (const KeyValue& tag : d.tags) {
    if (Characters(tag.key) > 255) return Bad("InputTag key exceeds the maximum length of 255");
    if (Characters(tag.value) > 500) return Bad("InputTag value exceeds the maximum length of 500");
  }
  if (Characters(d.context) > 500) return Bad("InputTag value exceeds the maximum length of 500");
  return {};
}

std::string RandomRunName() {
  static constexpr std::string_view kFirst[] = {"amber", "brisk", "calm",  "clever", "dapper", "eager",  "fleet", "gentle", "honest", "jolly", "keen",
                                                "lucid", "merry", "nimble", "patient", "quiet", "rustic", "sunny", "tidy",   "upbeat", "vivid", "wise"};
  static constexpr std::string_view kSecond[] = {"alder", "badger", "crane", "dolphin", "elm",   "finch", "gull",  "heron", "ibis",  "jay",   "kestrel",
                                                 "lynx",  "marten", "newt",  "otter",   "pine",  "quail", "robin", "stork", "thrush", "vole", "wren"};
  const uint64_t r = Xxh3(RandomHex(8));
  return fmt::format("{}-{}-{}", kFirst[r % std::size(kFirst)], kSecond[(r >> 16) % std::size(kSecond)], (r >> 32) % 1000);
}

}  // namespace rondo::tracking
