// Reads a list of inputs as one stream of blocks of whole lines, so that several threads can parse
// them: JSON lines, or plain text files, plain or compressed, or standard input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/text_stream.h"
#include "lib/io/jsonl.h"

namespace llmtool {

// kAuto: by the name, .txt and .text (also .gz, .zst) are plain text, everything else JSON lines.
enum class CorpusFormat { kAuto, kJsonl, kText };

CorpusFormat corpus_format(std::string_view name);  // "auto", "jsonl", "text"; else Fault::kUsage

// Names with *, ? or [ become the files they match, in order of name. Fault::kIo if none does.
std::vector<std::string> expand_globs(const std::vector<std::string>& names);

struct CorpusBlock {
  std::string path;
  uint64_t first_line = 1;
  bool is_text = false;  // bytes are one document, else JSON lines
  std::string bytes;
};

class CorpusReader {
 public:
  struct Options {
    CorpusFormat format = CorpusFormat::kAuto;
    size_t block_bytes = size_t{1} << 18;
    size_t max_line_bytes = size_t{1} << 30;
    // A plain text file is one document if 0, else cut behind a line break after about so many
    // bytes.
    size_t text_document_bytes = 0;
  };

  CorpusReader(std::vector<std::string> inputs, Options options);

  // False at the end. A byte order mark at the start of a file is dropped.
  bool next(CorpusBlock& block);
  // Of all the inputs' files, as they lie there (compressed); total is 0 if one has no size.
  uint64_t consumed_bytes() const;
  uint64_t total_bytes() const { return total_; }

 private:
  bool open_next();
  size_t wanted_bytes() const;
  bool find_bytes();
  void fill(size_t wanted);
  size_t cut() const;

  std::vector<std::string> inputs_;
  Options options_;
  size_t next_input_ = 0;
  std::unique_ptr<InputStream> stream_;
  std::string path_;
  bool is_text_ = false, stream_ended_ = false;
  std::string buffer_;  // read, not yet given out
  uint64_t line_ = 1;
  uint64_t consumed_before_ = 0, total_ = 0;
};

// What was wrong in a block that was read with skipping.
struct BadLines {
  uint64_t count = 0;
  std::string first;  // "file:line: reason"
};

// Calls take(document, line) for each document of a block; line is what stands in the file, without
// its line break. Blank lines are no documents. A bad line is counted if `bad` is given, else
// thrown as Fault::kInput.
void for_each_document(const CorpusBlock& block, DocumentParser& parser, BadLines* bad,
                       const std::function<void(Document&, std::string_view line)>& take);

}  // namespace llmtool
