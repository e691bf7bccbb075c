# The libraries llmtool stands on. Debian's where it has static or header-only ones, else what
# `make setup` built from Debian's sources into LLMTOOL_DEPS.
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(Threads REQUIRED)
find_library(LLMTOOL_ZSTD libzstd.a REQUIRED)
find_library(LLMTOOL_ZLIB libz.a REQUIRED)
find_path(LLMTOOL_TOMLPP toml++/toml.h REQUIRED)
find_path(LLMTOOL_XXHASH xxhash.h REQUIRED)

set(LLMTOOL_LIBRARIES CLI11::CLI11 nlohmann_json::nlohmann_json ${LLMTOOL_ZSTD} ${LLMTOOL_ZLIB}
    Threads::Threads ${CMAKE_DL_LIBS})

if(LLMTOOL_DEPS)
  include_directories(SYSTEM ${LLMTOOL_DEPS}/include)
  foreach(name sentencepiece_train sentencepiece spdlog fmt simdjson)
    find_library(LLMTOOL_LIB_${name} lib${name}.a PATHS ${LLMTOOL_DEPS}/lib NO_DEFAULT_PATH REQUIRED)
    list(APPEND LLMTOOL_LIBRARIES ${LLMTOOL_LIB_${name}})
  endforeach()
  add_compile_definitions(SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
endif()
