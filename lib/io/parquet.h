// Apache Parquet as JSON lines and back: an optional part of the build, over Arrow's C++ library
// (cmake -DLLMTOOL_PARQUET=...). Without it open_parquet() and write_parquet() fail as
// require_parquet() does.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/byte_source.h"
#include "lib/base/file.h"

namespace llmtool {

// Throws Fault::kUsage with how to build it, if this build has no Parquet.
void require_parquet();

// By its name: "x.parquet".
inline bool is_parquet_name(std::string_view path) {
  return path.ends_with(".parquet");
}

// The rows of a file as JSON lines, row n as line n, the columns as members in their order.
//   - booleans, integers, floating-point and decimal numbers as they are, but NaN and infinities as
//     null and whole decimals of more than 18 characters as texts; texts and binary values as
//     texts, which have to be valid UTF-8
//   - dates, times and timestamps as ISO 8601 ("2024-05-01T12:00:00.25"; "Z" behind it if they are
//     in UTC), outside the years 0 to 9999 as the number that is stored; durations as numbers
//   - lists as arrays, structs and maps from texts as objects, other maps as arrays of pairs
//   - texts in columns `metadata` and `attributes` that are JSON objects as these objects, as
//     datatrove reads them; and `members` of a file of write_parquet() as the members it holds
// One batch of rows is in memory at a time. Fault::kInput for what is broken, with the row group;
// skip_damage: it is noted, and reading goes on with the next row group.
std::unique_ptr<ByteSource> open_parquet(const fs::path& path, bool skip_damage);

// Writes JSON lines (compressed or not) that hold documents as a Parquet file, whole or not at all;
// the same lines give the same bytes. Five columns of texts:
//   id          null if there is none; a number as its digits
//   text        the member `text_member`, or "text" where it is absent
//   metadata    these two as JSON, null if they are absent
//   attributes
//   members     a JSON object of all other members, null if there are none
// Row groups end behind 64 MiB or 131072 rows; zstd.
void write_parquet(const fs::path& jsonl, std::string_view text_member, const fs::path& path);

}  // namespace llmtool
