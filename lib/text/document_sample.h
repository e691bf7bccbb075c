// A bounded sample of a stream of documents: those with the smallest hash of seed and text, as many
// as fit. Which documents these are depends neither on their order nor on how many threads read.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// XXH3 of the text: the same text has the same hash everywhere.
uint64_t document_hash(std::string_view text, uint64_t seed);

class DocumentSample {
 public:
  // max_bytes 0: everything is kept.
  DocumentSample(uint64_t max_bytes, uint64_t seed) : max_bytes_(max_bytes), seed_(seed) {}

  void add(std::string text);

  uint64_t seen_documents() const { return seen_documents_; }
  uint64_t seen_bytes() const { return seen_bytes_; }
  uint64_t kept_bytes() const { return kept_bytes_; }
  // The kept documents in order of hash; the sample is empty afterwards.
  std::vector<std::string> take();

 private:
  struct Entry {
    uint64_t hash;
    std::string text;
    bool operator<(const Entry& other) const { return hash < other.hash; }
  };

  uint64_t max_bytes_, seed_;
  uint64_t seen_documents_ = 0, seen_bytes_ = 0, kept_bytes_ = 0;
  std::vector<Entry> heap_;  // the largest hash in front
};

}  // namespace llmtool
