// The hashes of the pieces of each document, kept between two passes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/positioned_file.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Documents in the order in which they came, numbered from 0. 8 bytes a piece and 8 a document, on
// the disk.
class PieceLog {
 public:
  explicit PieceLog(StepResources& resources)
      : hashes_(resources.log("pieces")), ends_(resources.log("piece_ends")) {}

  void append(std::span<const uint64_t> hashes);
  uint64_t pieces() const { return hashes_.size() / sizeof(uint64_t); }
  uint64_t documents() const { return ends_.size() / sizeof(uint64_t); }
  AppendLog& hashes() { return hashes_; }

 private:
  friend class PieceLogReader;
  AppendLog& hashes_;
  AppendLog& ends_;  // how many pieces there are up to the end of each document
};

class PieceLogReader {
 public:
  explicit PieceLogReader(PieceLog log);

  // Of a document by its number; valid until the next call. One after another is fast.
  std::span<const uint64_t> of(uint64_t document);
  uint64_t documents() const { return ends_.count(); }

 private:
  // Values of a file, a page of them in memory.
  class Values {
   public:
    Values(AppendLog& log, uint64_t count);
    // [begin, end), one piece of memory.
    std::span<const uint64_t> range(uint64_t begin, uint64_t end);
    uint64_t count() const { return count_; }

   private:
    PositionedFile file_;
    uint64_t count_;
    std::vector<uint64_t> page_;
    uint64_t page_begin_ = 0;
  };

  Values hashes_, ends_;
};

}  // namespace llmtool
