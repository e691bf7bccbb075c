#include "lib/corpus/filters/list_file.h"

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/filters/characters.h"
#include "lib/text/utf8.h"

namespace llmtool {

std::vector<std::string> read_lists(const std::vector<std::string>& paths) {
  std::vector<std::string> entries;
  for (const std::string& path : paths) {
    const size_t before = entries.size();
    LineReader lines(path);
    for (std::string_view line; lines.next(line);) {
      check(first_invalid_utf8(line) == line.npos, Fault::kInput, lines.where(),
            ": the list has bytes that are not UTF-8");
      line = stripped(line);
      if (!line.empty() && line[0] != '#') entries.emplace_back(line);
    }
    check(entries.size() > before, Fault::kInput, "'", path, "': the list has no entry");
  }
  return entries;
}

}  // namespace llmtool
