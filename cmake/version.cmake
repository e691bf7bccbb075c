# LLMTOOL_VERSION for lib/base/version.cpp: the project's version and, in a clone, its commit.
set(llmtool_version ${PROJECT_VERSION})
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} describe --always --dirty --exclude=* --abbrev=7
    OUTPUT_VARIABLE llmtool_commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(llmtool_commit)
    string(APPEND llmtool_version " (${llmtool_commit})")
  endif()
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/lib/base/version.cpp PROPERTIES
  COMPILE_DEFINITIONS "LLMTOOL_VERSION=\"${llmtool_version}\"")
