// The formats of inputs: how records lie in a stream of bytes, and how they become documents. A
// format is one object in a catalog (Register<RecordFormat>).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/byte_source.h"
#include "lib/base/catalog.h"
#include "lib/base/file.h"
#include "lib/io/jsonl.h"

namespace llmtool {

struct RecordFormat;

// A part of a block that comes from one file.
struct BlockPart {
  std::string path;           // for messages
  uint64_t first_line = 1;    // of the part; in formats without lines the number of the record
  size_t begin = 0, end = 0;  // in the bytes
  bool is_file = false;       // all of a file that has a name: `path`
  std::string tree = {};      // CorpusInput::tree
};

struct CorpusBlock {
  const RecordFormat* format = nullptr;
  std::string bytes;             // whole records
  std::vector<BlockPart> parts;  // one, but for formats where a file is a record
};

// What parse() hands on.
struct RecordTaker {
  std::function<void(Document&)> take;  // path and line_number are set
  // A record that cannot be read: its line, what is wrong, a hint, its bytes.
  std::function<void(uint64_t line, std::string reason, std::string hint, std::string_view bytes)>
      bad;
};

struct RecordFormat {
  std::string name;  // --format
  std::string summary;
  std::vector<std::string> endings;  // of names that tell it, without .gz and .zst: ".jsonl"
  bool by_lines = false;             // a record is a line: a file can be cut behind any newline
  bool whole_file = false;           // a record is a file; cut is not called
  // The length of the whole records at the start of `bytes`; 0 if not even the first ends in it.
  // searched: so many bytes an earlier call has seen without an end.
  size_t (*cut)(std::string_view bytes, size_t searched) = nullptr;
  // Of one part of a block.
  void (*parse)(std::string_view bytes, const BlockPart& part, DocumentParser& parser,
                const RecordTaker& taker) = nullptr;
  // The bytes that cut() and parse() see; null: those of the file, decompressed. skip_damage: what
  // is broken is noted instead of thrown.
  std::unique_ptr<ByteSource> (*open)(const fs::path& path, bool skip_damage) = nullptr;
  // Throws if this build cannot read the format; null: it can.
  void (*require)() = nullptr;
};

// By name; Fault::kUsage with what there is. "auto" is null.
const RecordFormat* record_format(std::string_view name);

// The one whose endings fit the name of a file; null if none does.
const RecordFormat* record_format_of_file(std::string_view path);

// Behind the last newline: cut() of formats by lines.
size_t cut_lines(std::string_view bytes, size_t searched);

// Calls f(line, number) for each line that is not blank, without its "\n".
void for_each_line(std::string_view bytes, uint64_t first_line,
                   const std::function<void(std::string_view, uint64_t)>& f);

}  // namespace llmtool
