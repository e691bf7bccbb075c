// The training loop: next-token prediction on token shards with AdamW.
//
// A run's folder:
//   run.json
//   metrics.jsonl               a line for each step and event, see metrics.h
//   report.html                 the same for people, written at each checkpoint and at the end
//   tensorboard/                the same for TensorBoard
//   checkpoints/step-00000500/  see checkpoint.h
//   model/                      the weights at the end, a Hugging Face folder
//   run.lock                    while a process trains
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/run_lock.h"
#include "lib/io/token_shards.h"
#include "lib/model/model.h"
#include "lib/text/tokenizer.h"
#include "lib/train/checkpoint.h"
#include "lib/train/optimizer.h"
#include "lib/train/result.h"
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
  // What the run tells; none of it shapes the weights.
  double peak_flops = 0;   // per second, that MFU is a share of; 0: measured on a CPU
  double power_watts = 0;  // of the machine; 0: read from its counters
  double pue = 1.1;        // see TrainResult
  double carbon_intensity = 0.385;
  fs::path powercap = "/sys/class/powercap";  // see EnergySources
};

struct TrainingData {
  const TokenDataset* train = nullptr;
  const TokenDataset* validation = nullptr;    // may be null, or too short (below 2 tokens)
  std::shared_ptr<const Tokenizer> tokenizer;  // saved with the weights; may be null
  int32_t document_end = -1;        // id that ends a document, where attention is cut; -1: no cuts
  std::string train_checksum = {};  // of what `train` is made of; empty: not known
};

// Trains a model whose weights are set. Throws Fault::kFailed if the loss stops being finite (the
// last checkpoint is intact), Fault::kUsage if another process trains in the folder, or if the run
// in it cannot be gone on with. On an interrupt: saves the last whole step and returns.
// `lock` is taken here, before anything is written, and stays with the caller, who lets go when
// nothing more is to be written either.
TrainResult train(Model& model, const TrainingData& data, const TrainOptions& options,
                  const SampleText& sample, Stream& stream, std::optional<RunLock>& lock);

}  // namespace llmtool
