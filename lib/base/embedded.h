// What the program ships as data: the files of data/, linked into it (cmake/embed.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace llmtool {

struct EmbeddedFile {
  std::string_view name;   // below data/: "lang/languages.bin"
  std::string_view bytes;  // begins at a multiple of 64
};

// In order of name.
const std::vector<EmbeddedFile>& embedded_files();

// The bytes of one that must be there.
std::string_view embedded_file(std::string_view name);

}  // namespace llmtool
