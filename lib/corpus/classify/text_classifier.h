// Scores texts by a supervised fastText model: the same labels and the same scores, bit for bit, as
// fastText's `predict-prob` gives for the prepared text as one line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct LabelScore {
  int label = 0;  // its place in labels()
  float score = 0;
};

class TextClassifier {
 public:
  // Memory of predict(), one for each thread.
  struct Scratch {
    std::string word;
    std::vector<int32_t> rows;
    std::vector<uint32_t> hashes;
    std::vector<float> hidden, output;
    std::vector<std::pair<float, int>> best;
  };

  // Maps the file. Fault::kInput if it is damaged or no supervised model, kIo if it is not there.
  explicit TextClassifier(const fs::path& path);
  // bytes live longer than this; name is for messages.
  TextClassifier(std::string_view bytes, std::string_view name);
  ~TextClassifier();

  const std::vector<std::string>& labels() const;  // without "__label__"
  std::string_view note() const;                   // of `classify train`: a JSON object, or empty

  // The `most` labels with the highest scores, the best first; none if the text has nothing that
  // the model knows. text: prepared (letters.h), without line breaks. Fault::kInput if the model's
  // values give no finite score.
  void predict(std::string_view text, size_t most, Scratch& scratch,
               std::vector<LabelScore>& found) const;

 private:
  class Parts;
  std::unique_ptr<MappedFile> file_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace llmtool
