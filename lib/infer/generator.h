// Answers to many prompts at once: a fixed number of slots of a KV cache, each filled with the next
// prompt as soon as its answer is complete. Every step is one forward pass: a token for each answer
// under way, and up to a chunk of tokens of prompts that have not been read whole.
//
// Rows of every operation do not depend on each other, and random numbers belong to a sequence and
// a position: an answer has the same bits whatever is generated beside it, at any chunk, number of
// slots and threads.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/infer/sampler.h"
#include "lib/model/model.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

struct GenerationRequest {
  std::vector<int32_t> prompt;  // ids, BOS included; at least one
  bool begins_text = false;     // the prompt has no text: the answer begins one
  int64_t max_tokens = 256;     // at least 1
  SamplingOptions sampling = {};
  uint64_t sequence = 0;               // see Sampler
  std::vector<std::string> stop = {};  // see DecodedText
  bool ignore_eos = false;             // EOS is a token like others, without text
};

// Sets the prompt to the model's bos_token_id, if it has one and `bos` is wanted, and the ids of
// text, which must be valid UTF-8.
void set_prompt(GenerationRequest& request, std::string_view text, bool bos,
                const Tokenizer& tokenizer, const LlamaConfig& config);

// kLength: max_tokens, or no row left in the slot (the context).
enum class FinishReason { kEos, kStop, kLength };
std::string_view name_of(FinishReason reason);

struct Generation {
  std::string text;                       // valid UTF-8, cut before the stop string
  std::vector<int32_t> ids;               // all that were drawn, EOS and the stop string's included
  std::vector<double> log_probabilities;  // of ids, if the request asks for them
  FinishReason finish_reason = FinishReason::kLength;
  std::string stop_string;  // the one that ended it
};

struct GenerationStats {
  int64_t prefill_tokens = 0, decode_tokens = 0;  // fed to the model
  // The time of a step that does both is shared out by their tokens.
  double prefill_seconds = 0, decode_seconds = 0;
};

// What happens, by the index that submit() gave. May be empty.
struct GenerationEvents {
  std::function<void(size_t index, std::string_view text)> on_text = {};
  std::function<void(size_t index, Generation&& result)> on_finish = {};
};

class Generator {
 public:
  struct Options {
    int64_t slots = 8;            // sequences at a time
    int64_t context = 0;          // rows of a slot; 0: the model's context, which is the most
    int64_t prefill_chunk = 512;  // prompt tokens of a step
  };

  // Allocates the cache and the activations; nothing grows afterwards. The model, the tokenizer and
  // the stream outlive it. Nobody else may use the model meanwhile.
  Generator(Model& model, const Tokenizer& tokenizer, const Options& options,
            GenerationEvents events, Stream& stream);
  ~Generator();

  // Bytes of the cache.
  static int64_t cache_bytes(const Model& model, const Options& options);

  // Throws Fault::kInput for a prompt that is empty or does not fit the context.
  size_t submit(GenerationRequest request);
  // One forward pass; false if there is nothing left to do.
  bool step();
  const GenerationStats& stats() const { return stats_; }

 private:
  struct Sequence;
  struct Batch;

  void admit();
  void add_to_batch(Sequence& sequence, int64_t most, Batch& batch) const;
  Batch make_batch() const;
  void choose_tokens(const Batch& batch);
  void take_token(Sequence& sequence, const Choice& choice);
  void finish(Sequence& sequence, FinishReason reason);
  void count_time(const Batch& batch, double seconds);

  Model& model_;
  const Tokenizer& tokenizer_;
  Options options_;
  GenerationEvents events_;
  Stream& stream_;
  KvCache cache_;
  std::vector<float> logits_;  // (slots, V)

  size_t submitted_ = 0;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  std::vector<std::unique_ptr<Sequence>> active_;  // in the order of submission
  std::vector<int64_t> free_slots_;
  GenerationStats stats_;
};

}  // namespace llmtool
