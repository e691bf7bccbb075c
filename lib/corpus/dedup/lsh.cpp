#include "lib/corpus/dedup/lsh.h"

#include <cmath>
#include <limits>

namespace llmtool {
namespace {

// The area under the curve of candidates (Simpson's rule).
double area(double from, double to, BandsAndRows lsh) {
  constexpr int kSteps = 200;
  const double step = (to - from) / kSteps;
  double sum = candidate_probability(from, lsh) + candidate_probability(to, lsh);
  for (int i = 1; i < kSteps; ++i) {
    sum += (i % 2 == 1 ? 4 : 2) * candidate_probability(from + step * i, lsh);
  }
  return sum * step / 3;
}

}  // namespace

double candidate_probability(double similarity, BandsAndRows lsh) {
  return 1 - std::pow(1 - std::pow(similarity, lsh.rows), lsh.bands);
}

double threshold_of(BandsAndRows lsh) {
  return std::pow(1.0 / lsh.bands, 1.0 / lsh.rows);
}

BandsAndRows best_for_threshold(double threshold, int num_hashes) {
  BandsAndRows best;
  double least = std::numeric_limits<double>::infinity();
  for (int bands = 1; bands <= num_hashes; ++bands) {
    for (int rows = 1; rows <= num_hashes / bands; ++rows) {
      const BandsAndRows lsh{bands, rows};
      const double wrong = area(0, threshold, lsh) + (1 - threshold) - area(threshold, 1, lsh);
      if (wrong < least) {
        least = wrong;
        best = lsh;
      }
    }
  }
  return best;
}

}  // namespace llmtool
