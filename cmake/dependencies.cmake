# The libraries llmtool stands on. Debian's where it has static or header-only ones, else what
# `make setup` (cmake/setup.sh) built from Debian's sources into LLMTOOL_DEPS.
if(NOT LLMTOOL_DEPS)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(LLMTOOL_DEPS "$ENV{XDG_CACHE_HOME}/llmtool/deps")
  else()
    set(LLMTOOL_DEPS "$ENV{HOME}/.cache/llmtool/deps")
  endif()
endif()
if(NOT EXISTS ${LLMTOOL_DEPS}/stamp)
  message(FATAL_ERROR "no libraries in '${LLMTOOL_DEPS}': run `make setup` first "
                      "(or set LLMTOOL_DEPS to the folder it filled)")
endif()

find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(Threads REQUIRED)
find_library(LLMTOOL_ZSTD libzstd.a REQUIRED)
find_library(LLMTOOL_ZLIB libz.a REQUIRED)
find_library(LLMTOOL_UTF8PROC libutf8proc.a REQUIRED)
find_library(LLMTOOL_UCHARDET libuchardet.a REQUIRED)
find_path(LLMTOOL_TOMLPP toml++/toml.h REQUIRED)
find_path(LLMTOOL_XXHASH xxhash.h REQUIRED)

set(LLMTOOL_LIBRARIES CLI11::CLI11 nlohmann_json::nlohmann_json)
include_directories(SYSTEM ${LLMTOOL_DEPS}/include ${LLMTOOL_DEPS}/include/sentencepiece_model
  ${LLMTOOL_DEPS}/include/libxml2)
foreach(name sentencepiece_train sentencepiece spdlog fmt simdjson xml2)
  set(library ${LLMTOOL_DEPS}/lib/lib${name}.a)
  if(NOT EXISTS ${library})
    message(FATAL_ERROR "'${library}' is missing: run `make setup` again")
  endif()
  list(APPEND LLMTOOL_LIBRARIES ${library})
endforeach()
list(APPEND LLMTOOL_LIBRARIES ${LLMTOOL_ZSTD} ${LLMTOOL_ZLIB} ${LLMTOOL_UTF8PROC} ${LLMTOOL_UCHARDET}
     Threads::Threads ${CMAKE_DL_LIBS})
add_compile_definitions(SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
