// Messages for people, on stderr, with the level's colour on a terminal. Results go to stdout, and
// not through here.
#pragma once

#include <string_view>

namespace llmtool {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

void set_log_level(LogLevel level);
LogLevel log_level();
void log_debug(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);

}  // namespace llmtool
