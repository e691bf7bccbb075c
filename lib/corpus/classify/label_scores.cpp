#include "lib/corpus/classify/label_scores.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr int64_t kSigmoidSteps = 512, kSigmoidEnd = 8;
constexpr size_t kLanes = 4;  // labels that are computed side by side

// fastText's std_log().
float log_of(float p) {
  return static_cast<float>(std::log(static_cast<double>(p) + 1e-5));
}

bool better(const std::pair<float, int>& a, const std::pair<float, int>& b) {
  return a.first > b.first;
}

// Into a heap of at most `most`, whose front is the worst.
void offer(std::vector<std::pair<float, int>>& heap, size_t most, float score, int label) {
  heap.emplace_back(score, label);
  std::push_heap(heap.begin(), heap.end(), better);
  if (heap.size() <= most) return;
  std::pop_heap(heap.begin(), heap.end(), better);
  heap.pop_back();
}

void softmax(std::vector<float>& output, size_t count) {
  float largest = output[0], sum = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(output[i], largest);
  for (size_t i = 0; i < count; ++i) {
    output[i] = static_cast<float>(std::exp(static_cast<double>(output[i] - largest)));
    sum += output[i];
  }
  for (size_t i = 0; i < count; ++i) output[i] /= sum;
}

std::vector<float> sigmoid_table() {
  std::vector<float> table;
  for (int64_t i = 0; i <= kSigmoidSteps; ++i) {
    const float x = static_cast<float>(i * 2 * kSigmoidEnd) / kSigmoidSteps - kSigmoidEnd;
    table.push_back(static_cast<float>(1.0 / (1.0 + static_cast<double>(std::exp(-x)))));
  }
  return table;
}

float sigmoid(const std::vector<float>& table, float x) {
  if (std::isnan(x)) return x;
  if (x < -kSigmoidEnd) return 0;
  if (x > kSigmoidEnd) return 1;
  return table[static_cast<size_t>((x + kSigmoidEnd) * kSigmoidSteps / kSigmoidEnd / 2)];
}

}  // namespace

LabelScores::LabelScores(const ModelFile& model, std::string_view name)
    : loss_(model.loss),
      labels_(model.labels.size()),
      columns_(static_cast<size_t>(model.columns)),
      stride_((labels_ + kLanes - 1) / kLanes * kLanes),
      weights_(columns_ * stride_),
      norms_(stride_, 1.0F) {
  std::vector<float> row(columns_);
  for (size_t label = 0; label < labels_; ++label) {
    model.output.row(static_cast<int64_t>(label), row.data());
    norms_[label] = model.output.norm(static_cast<int64_t>(label));
    bool finite = std::isfinite(norms_[label]);
    for (size_t c = 0; c < columns_; ++c) {
      weights_[c * stride_ + label] = row[c];
      finite = finite && std::isfinite(row[c]);
    }
    check(finite, Fault::kInput, "'", name, "': the weights of label '", model.labels[label].text,
          "' are not all finite numbers");
  }
  if (loss_ == ModelLoss::kHierarchical) build_tree(model.labels);
  if (loss_ == ModelLoss::kNegative || loss_ == ModelLoss::kOneVsAll) sigmoid_ = sigmoid_table();
}

// Huffman's tree as fastText builds it: labels come with falling counts.
void LabelScores::build_tree(const std::vector<ModelWord>& labels) {
  constexpr auto kUnset = static_cast<int64_t>(1e15);
  const int leaves = static_cast<int>(labels.size()), nodes = 2 * leaves - 1;
  tree_.resize(static_cast<size_t>(nodes));
  for (int i = 0; i < nodes; ++i) {
    tree_[static_cast<size_t>(i)].count =
        i < leaves ? labels[static_cast<size_t>(i)].count : kUnset;
  }
  const auto count = [&](int i) { return tree_[static_cast<size_t>(i)].count; };
  int leaf = leaves - 1, inner = leaves;
  for (int i = leaves; i < nodes; ++i) {
    int least[2];
    for (int& chosen : least) {
      const bool take_leaf = leaf >= 0 && (inner >= i || count(leaf) < count(inner));
      chosen = take_leaf ? leaf-- : inner++;
    }
    Node& node = tree_[static_cast<size_t>(i)];
    node.left = least[0];
    node.right = least[1];
    const int64_t a = std::min(count(least[0]), kUnset), b = std::min(count(least[1]), kUnset);
    node.count = a + b;
  }
}

// The sums of fastText's dotRow(), each in its order, several labels at a time.
void LabelScores::multiply(const std::vector<float>& hidden, std::vector<float>& output) const {
  output.resize(stride_);
  for (size_t first = 0; first < stride_; first += kLanes) {
    float sums[kLanes] = {};
    const float* weights = weights_.data() + first;
    for (size_t c = 0; c < columns_; ++c, weights += stride_) {
      for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += weights[lane] * hidden[c];
    }
    for (size_t lane = 0; lane < kLanes; ++lane) {
      output[first + lane] = sums[lane] * norms_[first + lane];
    }
  }
}

float LabelScores::node_value(const std::vector<float>& hidden, size_t row) const {
  float sum = 0;
  for (size_t c = 0; c < columns_; ++c) sum += weights_[c * stride_ + row] * hidden[c];
  return sum * norms_[row];
}

void LabelScores::search_tree(const std::vector<float>& hidden, size_t most,
                              std::vector<std::pair<float, int>>& found) const {
  const float least = log_of(0.0F);
  std::vector<std::pair<int, float>> open = {{static_cast<int>(tree_.size()) - 1, 0.0F}};
  while (!open.empty()) {
    const auto [index, score] = open.back();
    open.pop_back();
    if (score < least) continue;
    if (found.size() == most && score < found.front().first) continue;
    const Node& node = tree_[static_cast<size_t>(index)];
    if (node.left < 0) {
      offer(found, most, score, index);
      continue;
    }
    const float value = node_value(hidden, static_cast<size_t>(index) - labels_);
    const auto right = static_cast<float>(1.0 / static_cast<double>(1 + std::exp(-value)));
    const auto left = static_cast<float>(1.0 - static_cast<double>(right));
    open.emplace_back(node.right, score + log_of(right));
    open.emplace_back(node.left, score + log_of(left));
  }
}

void LabelScores::best(const std::vector<float>& hidden, size_t most, std::vector<float>& output,
                       std::vector<std::pair<float, int>>& found) const {
  found.clear();
  if (loss_ == ModelLoss::kHierarchical) {
    search_tree(hidden, most, found);
  } else {
    multiply(hidden, output);
    if (loss_ == ModelLoss::kSoftmax) {
      softmax(output, labels_);
    } else {
      for (float& value : output) value = sigmoid(sigmoid_, value);
    }
    float worst = 0;  // the smallest output that is in the heap
    for (size_t label = 0; label < labels_; ++label) {
      // As std_log() rises, this is what comparing logarithms says, but where they round to one.
      if (found.size() == most && output[label] < worst &&
          log_of(output[label]) < found.front().first) {
        continue;
      }
      offer(found, most, log_of(output[label]), static_cast<int>(label));
      worst = output[static_cast<size_t>(found.front().second)];
    }
  }
  std::sort_heap(found.begin(), found.end(), better);
}

}  // namespace llmtool
