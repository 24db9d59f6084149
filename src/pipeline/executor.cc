// The table of executors, and what all of them share: logs and crash points.
#include "pipeline/executor.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/file.h"

namespace rondo::pipeline {
namespace {

constexpr size_t kMaxRead = 32u << 20;

struct CrashSpec {
  std::string point;
  int passings = 1;
};
const CrashSpec& Crash() {
  static const CrashSpec spec = [] {
    CrashSpec s;
    const char* text = std::getenv("RONDO_CRASH_AT");
    if (!text) return s;
    s.point = text;
    if (const size_t colon = s.point.find(':'); colon != std::string::npos) {
      std::from_chars(s.point.data() + colon + 1, s.point.data() + s.point.size(), s.passings);
      s.point.resize(colon);
    }
    return s;
  }();
  return spec;
}

}  // namespace

const std::vector<ExecutorInfo>& Executors() {
  static const std::vector<ExecutorInfo> table = {{"local", "processes of this machine", MakeLocalExecutor}};
  return table;
}

void CrashPoint(std::string_view point) {
  const CrashSpec& spec = Crash();
  if (spec.point.empty() || spec.point != point) return;
  static std::atomic<int> passed{0};
  if (passed.fetch_add(1) + 1 == spec.passings) ::kill(::getpid(), SIGKILL);
}

std::vector<std::string> PlainWords(std::string_view command) {
  static const auto& builtins = *new std::vector<std::string_view>{
      ".",    ":",    "[",     "alias", "bg",   "break", "case",  "cd",   "command", "continue", "do",    "done",  "echo",  "elif",  "else", "esac",  "eval", "exec", "exit", "export", "false",
      "fg",   "fi",   "for",   "function", "getopts", "hash", "if",  "in",   "jobs",    "kill",     "let",   "local", "printf", "pwd",  "read", "readonly", "return", "select", "set", "shift",
      "source", "test", "then", "time", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while", "{", "}", "!"};
  std::vector<std::string> words;
  for (size_t at = 0; at < command.size();) {
    if (command[at] == ' ') {
      ++at;
      continue;
    }
    size_t end = at;
    for (; end < command.size() && command[end] != ' '; ++end) {
      const char c = command[end];
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/' || c == ',' || c == ':' || c == '@' || c == '+' || c == '%' ||
                         (c == '=' && !words.empty());
      if (!plain) return {};
    }
    words.emplace_back(command.substr(at, end - at));
    at = end;
  }
  if (!words.empty() && std::find(builtins.begin(), builtins.end(), words[0]) != builtins.end()) return {};
  return words;
}

std::string LogTail(const fs::path& log, size_t lines) {
  auto text = ReadFile(log, kMaxRead);
  if (!text) return {};
  size_t at = text->size();
  while (at > 0 && (*text)[at - 1] == '\n') --at;
  const size_t end = at;
  for (size_t n = 0; at > 0 && n < lines; ++n) {
    const size_t newline = text->rfind('\n', at - 1);
    if (newline == std::string::npos) {
      at = 0;
      break;
    }
    at = newline;
  }
  return text->substr(at == 0 ? 0 : at + 1, end - (at == 0 ? 0 : at + 1));
}

std::string LogSummary(const fs::path& log) {
  auto text = ReadFile(log, kMaxRead);
  if (!text) return {};
  constexpr std::string_view kMark = "rondo: summary=";
  const size_t at = text->rfind(kMark);
  if (at == std::string::npos) return {};
  const size_t begin = at + kMark.size();
  return text->substr(begin, std::min(text->find('\n', begin), text->size()) - begin);
}

void MaskSecrets(const fs::path& log, const std::vector<std::string>& secrets) {
  auto text = ReadFile(log, kMaxRead);
  if (!text) return;
  bool found = false;
  for (const std::string& secret : secrets) {
    if (secret.size() < 4) continue;  // would mask half the log, and hides nothing
    for (size_t at = text->find(secret); at != std::string::npos; at = text->find(secret, at + 3)) {
      text->replace(at, secret.size(), "***");
      found = true;
    }
  }
  if (found) (void)WriteFileAtomic(log, *text);
}

}  // namespace rondo::pipeline
