// The cross-entropy of every token of texts of any length. A text that fits the context is one
// window. Of a longer one the first window scores `context` tokens and each further one the next
// `stride`, or the rest: it ends with the last token that it scores and reaches back over the whole
// context. So each token is scored once, with at least context - stride tokens before it. (The
// sliding window of Hugging Face's guide to perplexity; with stride = context the windows of
// lm-evaluation-harness's loglikelihood_rolling, apart from the token in front of later windows.)
//
// Windows of several texts go through the model together; a window's losses do not depend on the
// others' (see Model).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "lib/model/model.h"

namespace llmtool {

class RollingLoss {
 public:
  struct Options {
    int64_t context = 0;       // tokens of a window; 0: the model's context, which is the most
    int64_t stride = 0;        // 1..context; 0: half the context
    int64_t batch_tokens = 0;  // tokens of a forward pass, at least context; 0: 2048 or context
  };
  // losses[i]: of ids[i + 1] given what the window shows before it, in nats. In the order of add().
  using Take = std::function<void(size_t index, std::span<const float> losses)>;

  // Allocates the activations. The model and the stream outlive it.
  RollingLoss(Model& model, const Options& options, Take take, Stream& stream);

  const Options& options() const { return options_; }  // with the defaults filled in

  // The first id is context only. May run the model and call take for this or earlier texts.
  void add(std::vector<int32_t> ids);
  // Runs what is left.
  void finish();

 private:
  struct Text {
    size_t index;
    std::vector<int32_t> ids;
    std::vector<float> losses;
    size_t windows = 0;  // not run yet
  };
  // Inputs ids[begin, begin + length); the last `scored` of their targets count.
  struct Window {
    Text* text;
    int64_t begin, length, scored;
  };

  void add_window(const Window& window);
  void run_batch();
  void append(const Window& window);

  Model& model_;
  Options options_;
  Take take_;
  Stream& stream_;
  size_t added_ = 0;
  std::deque<Text> texts_;  // not taken yet
  std::vector<Window> windows_;
  std::vector<int32_t> ids_, positions_, targets_;
  std::vector<AttentionSequence> sequences_;
  std::vector<float> losses_;
};

}  // namespace llmtool
