#include "lib/train/schedule.h"

#include <cmath>

namespace llmtool {
namespace {

const Register<Schedule> cosine{
    {"cosine", "half a cosine from the peak to --min-lr-ratio of it",
     [](double p, double left) { return left + (1 - left) * 0.5 * (1 + std::cos(M_PI * p)); }}};
const Register<Schedule> linear{{"linear", "a line from the peak to --min-lr-ratio of it",
                                 [](double p, double left) { return 1 - (1 - left) * p; }}};
const Register<Schedule> constant{
    {"constant", "the peak to the end", [](double, double) { return 1.0; }, /*knows_end=*/false}};

}  // namespace

double learning_rate(const Schedule& schedule, double peak, double left, int64_t warmup,
                     int64_t steps, int64_t step) {
  if (step <= warmup) return peak * static_cast<double>(step) / static_cast<double>(warmup);
  if (steps <= warmup) return peak;
  const double p = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  return peak * schedule.decay(p < 1 ? p : 1, left);
}

}  // namespace llmtool
