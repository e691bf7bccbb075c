// The training loop: next-token prediction on token shards with AdamW.
//
// A run's folder:
//   run.json, metrics.jsonl          one line a step: step, loss, lr, grad_norm, tokens, ...
//   checkpoints/step-00000500/       see checkpoint.h
//   model/                           the weights at the end, a Hugging Face folder
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/io/token_shards.h"
#include "lib/model/model.h"
#include "lib/text/tokenizer.h"
#include "lib/train/checkpoint.h"
#include "lib/train/optimizer.h"
#include "lib/train/sample_text.h"
#include "lib/train/schedule.h"

namespace llmtool {

struct TrainOptions {
  std::string output;
  int64_t steps = 1000;
  int64_t seq_len = 256;   // T: tokens of a window
  int64_t batch_size = 8;  // windows of a micro-batch
  int64_t grad_accum = 1;  // micro-batches of a step
  double lr = 1e-3;
  double min_lr_ratio = 0.1;
  int64_t warmup_steps = 100;
  std::string schedule = "cosine";
  AdamWOptions adamw;
  uint64_t seed = 0;
  int64_t eval_every = 0;     // steps; 0: only at the end
  int64_t eval_windows = 0;   // of the validation split; 0: all
  int64_t sample_every = 0;   // steps; 0: never
  int64_t save_every = 0;     // steps; 0: only at the end
  double save_minutes = 0;    // minutes since the last checkpoint; 0: off
  bool save_initial = false;  // a checkpoint of step 0
  Retention keep;
  bool resume = false;
};

struct TrainingData {
  const TokenDataset* train = nullptr;
  const TokenDataset* validation = nullptr;    // may be null, or too short (below 2 tokens)
  std::shared_ptr<const Tokenizer> tokenizer;  // saved with the weights; may be null
  int32_t document_end = -1;  // id that ends a document, where attention is cut; -1: no cuts
};

struct TrainResult {
  int64_t steps = 0, tokens = 0;
  double loss = 0;               // of the last step, nats per token; NaN if there is none
  double validation_loss = 0;    // of the last validation; NaN without one
  double seconds = 0;            // of this process's steps, without saving and evaluation
  double tokens_per_second = 0;  // of this process
  bool interrupted = false;
};

// The JSON of everything that shapes the bytes of a run; a resumed run must have the same.
std::string options_fingerprint(const TrainOptions& options, const Model& model,
                                const TrainingData& data);

// Trains a model whose weights are set. Throws Fault::kFailed if the loss stops being finite (the
// last checkpoint is intact). On an interrupt: saves the last whole step and returns.
TrainResult train(Model& model, const TrainingData& data, const TrainOptions& options,
                  const SampleText& sample, Stream& stream);

}  // namespace llmtool
