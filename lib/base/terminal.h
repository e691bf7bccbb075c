// Standard error as the log and the progress line share it.
#pragma once

#include <mutex>
#include <string_view>

namespace llmtool {

bool stderr_is_terminal();

// One at a time writes to standard error.
std::recursive_mutex& terminal_mutex();

// Under terminal_mutex(). A line that stands until the next draw_line() or clear_line(); whoever
// prints a message clears it first.
void draw_line(std::string_view line);
void clear_line();
void print_line(std::string_view line);

// Columns of the terminal; 80 if unknown.
int terminal_width();

}  // namespace llmtool
