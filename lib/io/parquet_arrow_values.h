// Values of Arrow arrays as JSON: see open_parquet().
#pragma once

#include <cstdint>
#include <string>

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace llmtool {

// Fault::kInput for a type that no document has, such as an interval or a union. what: whose.
void check_parquet_type(const arrow::DataType& type, const std::string& what);

// Appends value i. Texts are not checked. Fault::kInput if `out` grows above max_bytes.
void append_arrow_value(std::string& out, const arrow::Array& array, int64_t i, size_t max_bytes);

}  // namespace llmtool
