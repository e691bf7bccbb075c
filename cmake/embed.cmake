# The files of data/ as one source file for lib_base (lib/base/embedded.h): everything but notes and
# the scripts that made them.
file(GLOB_RECURSE embedded CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/data ${CMAKE_SOURCE_DIR}/data/*)
list(FILTER embedded EXCLUDE REGEX "\\.(md|py|sh)$|__pycache__")
list(SORT embedded)

set(declarations "")
set(entries "")
set(depends "")
set(number 0)
foreach(name ${embedded})
  set(path ${CMAKE_SOURCE_DIR}/data/${name})
  list(APPEND depends ${path})
  set(symbol llmtool_data_${number})
  string(APPEND declarations
    "asm(\".pushsection .rodata\\n.balign 64\\n\"\n"
    "    \".globl ${symbol}\\n.hidden ${symbol}\\n${symbol}: .incbin \\\"${path}\\\"\\n\"\n"
    "    \".globl ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end: .byte 0\\n.popsection\");\n"
    "extern \"C\" __attribute__((visibility(\"hidden\"))) const char ${symbol}[], ${symbol}_end[];\n")
  string(APPEND entries
    "      {\"${name}\", {${symbol}, static_cast<size_t>(${symbol}_end - ${symbol})}},\n")
  math(EXPR number "${number} + 1")
endforeach()

set(LLMTOOL_EMBEDDED ${CMAKE_BINARY_DIR}/embedded_files.cpp)
file(CONFIGURE OUTPUT ${LLMTOOL_EMBEDDED} @ONLY CONTENT
"// Made by cmake/embed.cmake.
#include \"lib/base/embedded.h\"

#include <cstddef>

@declarations@
namespace llmtool {

const std::vector<EmbeddedFile>& embedded_files() {
  static const std::vector<EmbeddedFile> all = {
@entries@  };
  return all;
}

}  // namespace llmtool
")
set_source_files_properties(${LLMTOOL_EMBEDDED} PROPERTIES OBJECT_DEPENDS "${depends}")
