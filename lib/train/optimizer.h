// AdamW over a model's parameters: f32 moments, and f32 master weights where the model computes
// with bf16. Weight decay goes to matrices (embeddings among them), not to the vectors of norms.
#pragma once

#include <cstdint>

#include "lib/model/parameters.h"

namespace llmtool {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;
  double clip = 1.0;  // of the gradient's norm over all parameters; 0: none
};

class Optimizer {
 public:
  Optimizer(Parameters& parameters, const AdamWOptions& options, Stream& stream);

  // The norm of all gradients (f64 sums). Not finite if any of them is not.
  double gradient_norm(Stream& stream);
  // One update with step counted from 1, from gradients whose norm is `norm`; clears them.
  void update(int64_t step, double learning_rate, double norm, Stream& stream);

  // The state as safetensors: "m.<parameter>", "v.<parameter>", "master.<parameter>" for bf16.
  void save(const fs::path& path, Stream& stream) const;
  void load(const fs::path& path, Stream& stream);

  static int64_t bytes(const Parameters& parameters, DType dtype);

 private:
  void load_block(const SafetensorsFile& file, const char* prefix, const Buffer& to,
                  Stream& stream);

  Parameters* parameters_;
  AdamWOptions options_;
  Buffer m_, v_, master_;  // master_ is empty for f32
  Buffer norm_;            // one f64
};

}  // namespace llmtool
