// Lists of words, domains and URLs that people keep in files.
#pragma once

#include <string>
#include <vector>

namespace llmtool {

// The lines of the files (plain, .gz, .zst) without the spaces around them, empty lines and lines
// that begin with "#". Fault::kInput for a list without an entry and for bytes that are no UTF-8.
std::vector<std::string> read_lists(const std::vector<std::string>& paths);

}  // namespace llmtool
