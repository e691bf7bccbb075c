// What tells a file of write_parquet().
#pragma once

namespace llmtool {

// In the key-value metadata of its footer.
constexpr const char* kParquetLayoutKey = "llmtool.layout";
constexpr const char* kParquetLayout = "1";

}  // namespace llmtool
