// Learning-rate schedules by step, counted from 1 to `steps`. Warm-up is linear from 0:
// lr(k) = peak * k / warmup for k <= warmup. After it, with p = (k - warmup) / (steps - warmup):
//   cosine    peak * (m + (1 - m) * (1 + cos(pi p)) / 2)      m: what is left at the end
//   linear    peak * (1 - (1 - m) p)
//   constant  peak
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/catalog.h"

namespace llmtool {

struct Schedule {
  std::string name;
  std::string summary;
  // Share of the peak at progress p in [0, 1] after warm-up.
  double (*decay)(double p, double left);
  bool knows_end = true;  // whether decay depends on p
};

double learning_rate(const Schedule& schedule, double peak, double left, int64_t warmup,
                     int64_t steps, int64_t step);

}  // namespace llmtool
