# Parquet over Arrow's C++ library, if LLMTOOL_PARQUET asks for it: a folder with include/ and
# libarrow.so.* and libparquet.so.*, as PyPI's pyarrow is one, or ON for the CMake packages Arrow and
# Parquet. Sets LLMTOOL_PARQUET_LIBRARIES and LLMTOOL_PARQUET_INCLUDE.
set(LLMTOOL_PARQUET OFF CACHE STRING "Read and write Parquet: ON, or the folder of PyPI's pyarrow")

set(LLMTOOL_PARQUET_LIBRARIES "")
set(LLMTOOL_PARQUET_INCLUDE "")
if(NOT LLMTOOL_PARQUET OR IS_DIRECTORY "${LLMTOOL_PARQUET}")
elseif("${LLMTOOL_PARQUET}" MATCHES "^(ON|on|1|TRUE|true|YES|yes)$")
  find_package(Arrow CONFIG REQUIRED)
  find_package(Parquet CONFIG REQUIRED)
  set(LLMTOOL_PARQUET_LIBRARIES Parquet::parquet_shared Arrow::arrow_shared)
else()
  message(FATAL_ERROR "LLMTOOL_PARQUET is '${LLMTOOL_PARQUET}', expected ON or a folder")
endif()

if(LLMTOOL_PARQUET AND IS_DIRECTORY "${LLMTOOL_PARQUET}")
  foreach(name parquet arrow)
    file(GLOB found "${LLMTOOL_PARQUET}/lib${name}.so*")
    if(NOT found)
      message(FATAL_ERROR "no lib${name}.so in '${LLMTOOL_PARQUET}'")
    endif()
    list(GET found 0 library)
    list(APPEND LLMTOOL_PARQUET_LIBRARIES "${library}")
  endforeach()
  set(LLMTOOL_PARQUET_INCLUDE "${LLMTOOL_PARQUET}/include")
  if(NOT EXISTS "${LLMTOOL_PARQUET_INCLUDE}/parquet/arrow/reader.h")
    message(FATAL_ERROR "no include/parquet/arrow/reader.h in '${LLMTOOL_PARQUET}'")
  endif()
  # The program finds the libraries where they lie.
  list(APPEND CMAKE_BUILD_RPATH "${LLMTOOL_PARQUET}")
  list(APPEND CMAKE_INSTALL_RPATH "${LLMTOOL_PARQUET}")
endif()
