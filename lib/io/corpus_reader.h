// Reads a list of inputs as one stream of blocks of whole records, so that several threads can
// parse them: JSON lines, web archives, trees of text files, ..., plain or compressed, or standard
// input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/byte_source.h"
#include "lib/base/text_stream.h"
#include "lib/io/jsonl.h"
#include "lib/io/record_format.h"

namespace llmtool {

struct CorpusInput {
  std::string path;        // "-" is standard input
  std::string name;        // how documents and messages call it
  bool in_folder = false;  // found by walking a folder
  std::string tree = {};   // that folder, as it was given, if there is more than one of them
  uint64_t begin = 0;      // records that start in [begin, end) of an uncompressed file
  uint64_t end = UINT64_MAX;
};

// Names with *, ? or [ become the files they match, in order of name, but for manifests and what
// stopped runs of llmtool have left. Fault::kIo if none does.
std::vector<std::string> expand_globs(const std::vector<std::string>& names);

// The files of expand_globs(); a folder becomes the regular files below it, in order of path. Links
// in it are not followed, and .git, .hg, .svn and what runs of llmtool leave are left out. Of
// several folders each file tells which one it is from (`tree`; metadata.tree of a document).
std::vector<CorpusInput> list_inputs(const std::vector<std::string>& names);

// A place between two records.
struct CorpusPosition {
  uint64_t input = 0;   // its number in the list
  uint64_t offset = 0;  // in its uncompressed bytes
  uint64_t line = 1;
};

class CorpusReader {
 public:
  struct Options {
    const RecordFormat* format = nullptr;  // of all inputs; null: of each by its name
    // For a name that does not tell. In a folder that is always plain text.
    std::string fallback = "jsonl";
    size_t block_bytes = size_t{1} << 18;
    size_t max_record_bytes = size_t{1} << 30;
    // A plain text file is one document if 0, else cut behind a line break after about so many
    // bytes.
    size_t text_document_bytes = 0;
    // Damaged compressed streams, records that are too long and files that change while they are
    // read are noted (problems()) instead of thrown.
    bool skip_bad = false;
  };

  // What an input is read as.
  static const RecordFormat* format_of(const CorpusInput& input, const Options& options);

  // Throws if this build cannot read one of the formats.
  CorpusReader(std::vector<CorpusInput> inputs, Options options);
  CorpusReader(const std::vector<std::string>& files, Options options);
  ~CorpusReader();

  // False at the end. A byte order mark at the start of a file is dropped.
  bool next(CorpusBlock& block);
  // Behind the last block.
  CorpusPosition position() const;
  // Before the first next(). The inputs must be what they were.
  void seek(const CorpusPosition& position);
  // Of all the inputs' files, as they lie there (compressed); total is 0 if one has no size.
  uint64_t consumed_bytes() const;
  uint64_t total_bytes() const { return total_; }
  // Messages, in order, since the last call.
  std::vector<std::string> take_problems();

 private:
  void open(uint64_t offset = 0);  // at its begin, or behind so many bytes
  void close();
  void skip_to(uint64_t offset);
  bool open_more();
  void fill(size_t wanted);
  std::string_view rest() const;
  void drop(size_t size);
  size_t find_cut();
  void take_records(CorpusBlock& block, size_t size);
  void skip_record();
  bool next_files(CorpusBlock& block);
  void fail_or_note(std::string message, std::string hint);

  std::vector<CorpusInput> inputs_;
  Options options_;
  size_t input_ = 0;  // the one that is open or comes next
  std::unique_ptr<ByteSource> stream_;
  const RecordFormat* format_ = nullptr;
  bool stream_ended_ = false;
  size_t begin_ = 0;     // of the rest in the buffer
  std::string buffer_;   // read, not yet given out
  uint64_t offset_ = 0;  // of the buffer in the uncompressed bytes
  uint64_t line_ = 1;
  uint64_t consumed_before_ = 0, total_ = 0;
  size_t damages_seen_ = 0;
  std::vector<std::string> problems_;
};

// This process' part of the work, `shard` of `shards`: an uncompressed file of a format by lines is
// cut by bytes, of the other inputs the k-th goes whole to shard k modulo shards. Together the
// shards read everything once.
std::vector<CorpusInput> inputs_of_shard(const std::vector<CorpusInput>& inputs,
                                         const CorpusReader::Options& options, uint64_t shard,
                                         uint64_t shards);

// What was wrong in a block that was read with skipping.
struct BadRecord {
  std::string where, reason;  // "file:line"
  std::string bytes;          // the record, with U+FFFD for what is not UTF-8, at most 64 KiB
};

// Calls take(document) for each document of a block. A bad record is handed to `bad` if there is
// one, else thrown as Fault::kInput.
void for_each_document(const CorpusBlock& block, DocumentParser& parser,
                       const std::function<void(BadRecord)>& bad,
                       const std::function<void(Document&)>& take);

// Counts bad records and keeps the first.
struct BadLines {
  uint64_t count = 0;
  std::string first;  // "file:line: reason"

  void add(const BadRecord& record);
  // What to hand to for_each_document(); nothing if records are not to be skipped.
  std::function<void(BadRecord)> taker(bool skip) {
    if (!skip) return {};
    return [this](const BadRecord& record) { add(record); };
  }
};

}  // namespace llmtool
