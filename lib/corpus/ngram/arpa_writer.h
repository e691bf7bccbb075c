// Writes an n-gram model as ARPA text, the format of SRILM and KenLM: the lines "\data\" and
// "ngram <order>=<count>" for each order; then for each order a line "\<order>-grams:" and
//
//   <log10 probability>\t<words, a space between two>\t<log10 backoff>
//
// for each n-gram; then "\end\". The highest order has no back-offs. Numbers are the shortest that
// read back as the same float; a probability of 0 is written as -99. Blank lines stand and numbers
// are spelt as lmplz has them.
#pragma once

#include <memory>

#include "lib/base/text_stream.h"
#include "lib/base/threads.h"
#include "lib/corpus/ngram/ngram_sink.h"

namespace llmtool {

class ArpaWriter final : public NgramSink {
 public:
  // path: as of OutputStream (.gz, .zst, "-"); the file appears with end(). Lines are made on all
  // threads of the pool, which must not be busy with a loop around add().
  ArpaWriter(const fs::path& path, ThreadPool& pool);
  ~ArpaWriter() override;

  // Fault::kInput for a word that the format cannot hold: empty, or with a space, tab, line break
  // or NUL in it.
  void begin(const std::vector<std::string>& words, const std::vector<uint64_t>& counts) override;
  void add(const Ngram& ngram) override;
  void end() override;

 private:
  // N-grams of one order on their way to lines.
  struct Batch {
    std::string lead;  // what stands before them
    size_t order = 0;
    std::vector<NgramWord> words;
    std::vector<float> numbers;  // probability, backoff
    std::string lines;
  };

  void start_order(size_t order);
  Batch& new_batch();
  void append_lines(Batch& batch) const;
  void flush();

  OutputStream out_;
  ThreadPool& pool_;
  std::vector<std::string> words_;
  std::vector<uint64_t> counts_, added_;
  size_t order_ = 0;  // of the section that is open; 0: none
  std::vector<Batch> batches_;
  size_t used_ = 0;  // batches with something in them
};

}  // namespace llmtool
