// From the hidden layer of a fastText model to its labels: softmax, one against all, negative
// sampling, hierarchical softmax.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/corpus/classify/model_file.h"

namespace llmtool {

class LabelScores {
 public:
  // Fault::kInput if the output matrix has values that are not finite.
  LabelScores(const ModelFile& model, std::string_view name);

  // The `most` best labels as (log(p + 1e-5) in float, label), the best first. Ties come in the
  // order that fastText gives them. output: memory to use.
  void best(const std::vector<float>& hidden, size_t most, std::vector<float>& output,
            std::vector<std::pair<float, int>>& found) const;

 private:
  struct Node {
    int left = -1, right = -1;
    int64_t count = 0;
  };

  void build_tree(const std::vector<ModelWord>& labels);
  void multiply(const std::vector<float>& hidden, std::vector<float>& output) const;
  float node_value(const std::vector<float>& hidden, size_t row) const;
  void search_tree(const std::vector<float>& hidden, size_t most,
                   std::vector<std::pair<float, int>>& found) const;

  ModelLoss loss_;
  size_t labels_, columns_, stride_;
  std::vector<float> weights_;  // columns_ x stride_: the matrix on its side
  std::vector<float> norms_;    // of each label
  std::vector<float> sigmoid_;  // fastText's table
  std::vector<Node> tree_;      // of hierarchical softmax; leaves first, the root last
};

}  // namespace llmtool
