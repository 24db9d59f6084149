/// Logging: one line an event, "key=value" pairs after the message. Levels debug, info, warn, error. Thread-safe.
/// Goes to standard error; RONDO_LOG=debug|info|warn|error sets the level (default warn; the server sets info).
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace rondo {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void LogLine(LogLevel level, std::string_view module, std::string_view text);

template <typename... Args>
void Log(LogLevel level, std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(level)) LogLine(level, module, fmt::format(format, std::forward<Args>(args)...));
}
#define RONDO_LOG_FN(Name, level)                                                                \
  template <typename... Args>                                                                    \
  void Name(std::string_view module, fmt::format_string<Args...> format, Args&&... args) {       \
    Log(level, module, format, std::forward<Args>(args)...);                                     \
  }
RONDO_LOG_FN(LogDebug, LogLevel::kDebug)
RONDO_LOG_FN(LogInfo, LogLevel::kInfo)
RONDO_LOG_FN(LogWarn, LogLevel::kWarn)
RONDO_LOG_FN(LogError, LogLevel::kError)
#undef RONDO_LOG_FN

}  // namespace rondo
