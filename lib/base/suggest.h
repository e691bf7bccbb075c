// "did you mean": the nearest of the known names to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
int edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, the first of equals; empty if none is near (a third of the
// letters, one at least).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "did you mean 'x'?", or `otherwise` if nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string otherwise = {});

}  // namespace llmtool
