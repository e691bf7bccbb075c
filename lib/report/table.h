// Tables of a page; every text is escaped.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace llmtool {

using Facts = std::vector<std::pair<std::string, std::string>>;

// Names on the left, what they are on the right.
std::string facts_table(const Facts& facts);
// Large figures side by side: what a reader looks for first.
std::string tiles(const Facts& facts);
std::string grid_table(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace llmtool
