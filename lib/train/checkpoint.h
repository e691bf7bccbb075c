// Checkpoints of a run: <run>/checkpoints/step-00000500/, each a Hugging Face folder (config.json,
// model.safetensors, tokenizer files) with optimizer.safetensors and trainer_state.json beside it.
// A checkpoint is written under a temporary name and renamed when all of it is on the disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/model/model.h"
#include "lib/text/tokenizer.h"
#include "lib/train/optimizer.h"

namespace llmtool {

// What must be the same for a run to go on, and where it stands.
struct TrainerState {
  int64_t step = 0;     // optimizer steps done
  int64_t tokens = 0;   // training tokens seen
  std::string options;  // JSON of the options that shape the result
};

// The checkpoints of a run in order of step; unfinished ones are not among them.
struct CheckpointFolder {
  fs::path path;
  int64_t step;
};
std::vector<CheckpointFolder> list_checkpoints(const fs::path& run);

// Writes the model folder, without optimizer state, under its final name. One that was there
// is replaced in one step (see replace_folder).
void save_model_folder(const fs::path& folder, const Model& model, const Tokenizer* tokenizer,
                       Stream& stream);

void save_checkpoint(const fs::path& run, const TrainerState& state, const Model& model,
                     const Tokenizer* tokenizer, const Optimizer& optimizer, Stream& stream);

// Where a checkpoint stands. Throws Fault::kInput if the file is damaged, or of another step than
// the folder's name says.
TrainerState read_trainer_state(const CheckpointFolder& from);

// Weights and optimizer of a checkpoint into a model of the same shape.
void load_checkpoint(const CheckpointFolder& from, Model& model, Optimizer& optimizer,
                     Stream& stream);

// Which checkpoints stay: the last `last`; and, with hours > 0, the first one of every `hours`
// hours of training.
struct Retention {
  int64_t last = 2;
  double hours = 0;
};
void remove_old_checkpoints(const fs::path& run, const Retention& keep);

// Removes what a killed run left half-written, and puts back what it was about to replace where
// that is gone. For who holds the run's lock.
void remove_unfinished(const fs::path& run);

}  // namespace llmtool
