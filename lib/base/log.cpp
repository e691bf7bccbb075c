#include "lib/base/log.h"

#include <memory>
#include <mutex>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "lib/base/terminal.h"

namespace llmtool {
namespace {

// "warning: " before what needs attention, nothing before what merely informs.
class LevelPrefix final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view prefix = message.level == spdlog::level::debug  ? "debug: "
                                    : message.level == spdlog::level::warn ? "warning: "
                                                                           : "";
    out.append(prefix.data(), prefix.data() + prefix.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<LevelPrefix>();
  }
};

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<LevelPrefix>('*').set_pattern("%^%*%$%v");
    sink->set_formatter(std::move(formatter));
    sink->set_color(spdlog::level::info, sink->reset);
    return spdlog::logger("llmtool", std::move(sink));
  }();
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

void log_at(spdlog::level::level_enum level, std::string_view message) {
  if (!logger().should_log(level)) return;
  std::lock_guard lock(terminal_mutex());
  clear_line();
  logger().log(level, spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace

void set_log_level(LogLevel level) {
  logger().set_level(spdlog_level(level));
}

LogLevel log_level() {
  const auto level = logger().level();
  for (const LogLevel l :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (spdlog_level(l) == level) return l;
  }
  return LogLevel::kOff;
}

void log_debug(std::string_view message) {
  log_at(spdlog::level::debug, message);
}
void log_info(std::string_view message) {
  log_at(spdlog::level::info, message);
}
void log_warning(std::string_view message) {
  log_at(spdlog::level::warn, message);
}

}  // namespace llmtool
