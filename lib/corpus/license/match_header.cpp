#include "lib/corpus/license/match_header.h"

namespace llmtool::license {

void find_headers(std::string_view, const std::vector<Word>& words,
                  const std::vector<TextMatch>& texts, std::vector<LicenseFinding>& findings) {
  for (const TextMatch& match : texts) {
    findings.push_back({match.expression, LicenseFinding::Kind::kText, match.similarity,
                        words[match.begin].begin, words[match.end - 1].end});
  }
}

}  // namespace llmtool::license
