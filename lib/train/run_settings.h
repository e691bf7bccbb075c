// What shapes a run, as its checkpoints and its lines say it.
#pragma once

#include <string>

#include "lib/train/trainer.h"

namespace llmtool {

// The JSON of everything that shapes the bytes of a run; a resumed run must have the same.
std::string options_fingerprint(const TrainOptions& options, const Model& model,
                                const TrainingData& data);

// Throws Fault::kUsage, naming what differs, unless a run with the fingerprint `then` can go on
// with `now`. It can with more steps: returns what that means for the result then, else nothing.
// A checksum of the data that one of them lacks is not compared. where: the checkpoint.
std::string check_resumable(const std::string& then, const std::string& now,
                            const Schedule& schedule, const std::string& where);

// The most that the machine could do, for TrainResult::mfu.
struct PeakFlops {
  double per_second = 0;  // 0: unknown
  std::string source;
};
// What the user states, or else, on a CPU, what its own peak operation reaches at the stream's
// level on all its threads (takes a tenth of a second). Nothing on a GPU.
PeakFlops peak_flops(double stated, DType dtype, Stream& stream);

// "settings" of metrics.jsonl: what TrainResult needs, and for people the groups training, model,
// data and machine.
std::string run_settings(const TrainOptions& options, const Model& model, const TrainingData& data,
                         const PeakFlops& peak, const std::string& energy_source,
                         const Stream& stream);

}  // namespace llmtool
