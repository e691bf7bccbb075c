// The sources of a paper as arXiv hands them out: one TeX file, or a tar of the author's folder,
// each perhaps gzipped.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace llmtool {

// The bytes of a gzip file (all its members); what could be read of a broken one. Stops, and sets
// too_large, after `most` bytes. bytes as they are if they are no gzip.
std::string gunzipped(std::string_view bytes, size_t most, bool& too_large);

bool is_tar(std::string_view bytes);

// Regular files of a tar by their names without "./"; what is not there whole is left out. Links,
// devices and names with ".." are passed over. Views into bytes.
std::map<std::string, std::string_view> files_of_tar(std::string_view bytes);

struct LatexSource {
  std::string text;    // UTF-8, inputs in place
  std::string main;    // its name in the archive
  std::string error;   // "extract.too_large", "extract.not_latex", "extract.no_main_file", or empty
  size_t missing = 0;  // inputs that are not in the archive
};

// The main file of a tar is the largest .tex with \documentclass or \documentstyle and
// \begin{document}, those at the top first, those of the classes subfiles and standalone last.
// \input, \include and \subfile are replaced by the file they name, with or without .tex, from the
// archive alone, at most 20 deep and `most` bytes in all. Bytes become UTF-8 by the option of
// inputenc, else as decode_page() does.
LatexSource read_latex_source(std::string_view bytes, size_t most);

}  // namespace llmtool
