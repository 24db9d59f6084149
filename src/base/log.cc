#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace rondo {
namespace {

spdlog::level::level_enum ToSpd(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& Logger() {
  // Never destroyed: threads may log while the program exits.
  static spdlog::logger& logger = *[] {
    auto* made = new spdlog::logger("rondo", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    if (const char* env = std::getenv("RONDO_LOG")) made->set_level(spdlog::level::from_str(env));
    return made;
  }();
  return logger;
}

}  // namespace

void SetLogLevel(LogLevel level) {
  if (!std::getenv("RONDO_LOG")) Logger().set_level(ToSpd(level));
}
bool LogEnabled(LogLevel level) { return Logger().should_log(ToSpd(level)); }
void LogLine(LogLevel level, std::string_view module, std::string_view text) { Logger().log(ToSpd(level), "[{}] {}", module, text); }

}  // namespace rondo
