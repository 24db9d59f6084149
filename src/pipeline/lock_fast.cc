// Reads a lock file of the shape that we (and DVC, for short commands) write, many times faster than a YAML parser; anything else is left to that.
#include <algorithm>
#include <charconv>
#include <optional>

#include "pipeline/lock.h"
#include "project/yaml.h"

namespace rondo::pipeline {
namespace {

struct Line {
  size_t indent = 0;
  std::string_view text;
};

/// One scalar as it stands behind "key: ": plain or in quotes without escapes. Empty when it is anything else.
std::optional<project::YamlNode> Scalar(std::string_view text) {
  project::YamlNode node;
  node.kind = project::YamlNode::Kind::kScalar;
  if (text.starts_with('\'')) {
    if (text.size() < 2 || !text.ends_with('\'')) return std::nullopt;
    for (size_t i = 1; i + 1 < text.size(); ++i) {
      if (text[i] == '\'') {
        if (i + 2 >= text.size() || text[i + 1] != '\'') return std::nullopt;
        ++i;
      }
      node.text += text[i];
    }
    return node;
  }
  if (text.starts_with('"')) {
    if (text.size() < 2 || !text.ends_with('"') || text.find_first_of("\\\"", 1) != text.size() - 1) return std::nullopt;
    node.text = text.substr(1, text.size() - 2);
    return node;
  }
  if (text.empty() || std::string_view("\"[]{}&*!|>%@`#,?-").find(text[0]) != std::string_view::npos) {
    // Negative numbers and words such as -x are plain.
    if (text.size() < 2 || text[0] != '-' || text[1] == ' ') return std::nullopt;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos || text.ends_with(':') || text.ends_with(' ')) return std::nullopt;
  if (text == "null" || text == "Null" || text == "NULL" || text == "~") return std::nullopt;
  node.plain = true;
  node.text = text;
  return node;
}

class FastLock {
 public:
  explicit FastLock(std::string_view text) : text_(text) {}

  std::optional<Lock> Read() {
    if (!text_.starts_with("schema: '2.0'\nstages:\n")) return std::nullopt;
    at_ = 22;
    Lock lock;
    Next();
    while (good_ && more_) {
      if (line_.indent != 2) return std::nullopt;
      const auto name = Key();
      if (!name) return std::nullopt;
      LockedStage stage;
      Next();
      while (good_ && more_ && line_.indent == 4) {
        if (!Field(stage)) return std::nullopt;
      }
      if (!lock.emplace_hint(lock.end(), *name, std::move(stage))->second.cmd.empty() && lock.size() == ++count_) continue;
      return std::nullopt;  // twice the same name, or no command: the slow way says where
    }
    return good_ ? std::optional(std::move(lock)) : std::nullopt;
  }

 private:
  void Next() {
    more_ = at_ < text_.size();
    if (!more_) return;
    const size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) {
      good_ = false;  // cut
      return;
    }
    line_.text = text_.substr(at_, end - at_);
    line_.indent = std::min(line_.text.find_first_not_of(' '), line_.text.size());
    line_.text.remove_prefix(line_.indent);
    if (line_.text.empty() || line_.text.find_first_of("\t\r") != std::string_view::npos) good_ = false;
    at_ = end + 1;
  }
  /// "key:" -> key.
  std::optional<std::string> Key() const {
    if (!line_.text.ends_with(':')) return std::nullopt;
    auto key = Scalar(line_.text.substr(0, line_.text.size() - 1));
    if (!key) return std::nullopt;
    return std::move(key->text);
  }
  static bool Number(std::string_view text, int64_t& out) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size();
  }

  bool Field(LockedStage& stage) {
    if (line_.text.starts_with("cmd: ")) {
      auto cmd = Scalar(line_.text.substr(5));
      if (!cmd) return false;
      stage.cmd = std::move(cmd->text);
      Next();
      // A folded command goes on below.
      return good_ && (!more_ || line_.indent == 2 || line_.text == "deps:" || line_.text == "params:" || line_.text == "outs:");
    }
    if (line_.text == "deps:") return Paths(stage.deps);
    if (line_.text == "outs:") return Paths(stage.outs);
    return line_.text == "params:" && Params(stage);
  }
  bool Paths(std::vector<LockedPath>& out) {
    Next();
    while (good_ && more_ && line_.indent == 4 && line_.text.starts_with("- path: ")) {
      auto path = Scalar(line_.text.substr(8));
      if (!path || path->text.empty()) return false;
      LockedPath& p = out.emplace_back();
      p.path = std::move(path->text);
      Next();
      while (good_ && more_ && line_.indent == 6) {
        const std::string_view t = line_.text;
        if (t.starts_with("md5: ")) {
          auto md5 = Scalar(t.substr(5));
          if (!md5) return false;
          p.state.exists = true;
          p.state.md5 = std::move(md5->text);
        } else if (t.starts_with("size: ")) {
          if (!Number(t.substr(6), p.state.size)) return false;
        } else if (t.starts_with("nfiles: ")) {
          if (!Number(t.substr(8), p.state.nfiles)) return false;
        } else if (t != "hash: md5") {
          return false;
        }
        Next();
      }
    }
    return good_;
  }
  bool Params(LockedStage& stage) {
    Next();
    while (good_ && more_ && line_.indent == 6) {
      const auto file = Key();
      if (!file) return false;
      Next();
      while (good_ && more_ && line_.indent == 8) {
        const size_t colon = line_.text.find(": ");
        if (colon == std::string_view::npos) return false;
        const auto key = Scalar(line_.text.substr(0, colon));
        const auto value = Scalar(line_.text.substr(colon + 2));
        if (!key || !value) return false;
        Json json = project::YamlToJson(*value);
        if (*file == kStateFile) stage.externals[key->text] = json.AsString();
        else stage.params.emplace_back(*file == "rondo.yaml" ? key->text : *file + ":" + key->text, std::move(json));
        Next();
      }
    }
    return good_;
  }

  std::string_view text_;
  size_t at_ = 0, count_ = 0;
  Line line_;
  bool good_ = true, more_ = true;
};

}  // namespace

std::optional<Lock> ParseLockFast(std::string_view text) { return FastLock(text).Read(); }

}  // namespace rondo::pipeline
