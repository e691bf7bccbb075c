// Draws documents from sources, shuffled, in bounded memory.
//
// Documents are put down in a file as they come. Of each part (a source, or one value of its `by`)
// with n units of which a are wanted, every document is given floor(a / n) times, and for the rest
// some are given once more: in an order drawn by seed, name of the part and number of the document,
// each that brings the sum nearer to a. Copy e of a document lies in the (e + u) / (a / n)-th part
// of the mix, u drawn uniformly: each source is spread evenly over the whole mix, its epochs follow
// one another, and each is shuffled anew. So the mix is a function of the documents, the recipe and
// the seed: not of threads or memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/threads.h"

namespace llmtool {

struct MixPart {
  std::string source, value;                      // value: of `by`, or empty
  uint64_t documents = 0, bytes = 0, tokens = 0;  // in the source
  double wanted = 0;                              // units
  uint64_t given_documents = 0, given_bytes = 0, given_tokens = 0;
};

class Mixer {
 public:
  struct Options {
    uint64_t seed = 0;
    size_t memory = size_t{1} << 30;
    fs::path folder;  // for temporary files without names: up to twice what is put in and drawn
    ThreadPool* pool = nullptr;
  };
  explicit Mixer(Options options);
  ~Mixer();
  Mixer(const Mixer&) = delete;
  Mixer& operator=(const Mixer&) = delete;

  // The number of the part; a new one if there is none of these names. Fault::kInput if `by` has
  // too many values.
  uint32_t part(const std::string& source, const std::string& value);
  std::vector<MixPart>& parts();

  // The next document of a part. tokens: 0 if nobody counts them.
  void add(uint32_t part, std::string_view payload, uint64_t bytes, uint64_t tokens);

  // After the last document. units_of: a document's size by its bytes and tokens; MixPart::wanted
  // is in these, and was set. Sets MixPart::given_*. Fault::kUsage for 16 million epochs of a part
  // and more; Fault::kIo, before a byte is written, if the mix is larger than the room in `folder`.
  using UnitsOf = uint64_t (*)(uint64_t bytes, uint64_t tokens);
  void draw(UnitsOf units_of);
  uint64_t drawn_bytes() const;  // of payload

  struct Drawn {
    uint32_t part = 0;
    uint64_t bytes = 0;  // of text
    std::string_view payload;
  };
  // The mix, in order; valid until the next call. False at the end.
  bool next(Drawn& drawn);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmtool
