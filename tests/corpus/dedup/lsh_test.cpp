#include "lib/corpus/dedup/lsh.h"

#include <doctest/doctest.h>
#include <vector>

using namespace llmtool;

TEST_CASE("lsh: the probabilities that others publish") {
  CHECK(candidate_probability(0.7, {14, 8}) == doctest::Approx(0.565).epsilon(0.01));
  CHECK(candidate_probability(0.8, {14, 8}) == doctest::Approx(0.924).epsilon(0.001));
  CHECK(candidate_probability(0.8, {20, 13}) == doctest::Approx(0.677).epsilon(0.01));
  CHECK(threshold_of({14, 8}) == doctest::Approx(0.72).epsilon(0.01));
  CHECK(candidate_probability(1, {9, 13}) == 1);
  CHECK(candidate_probability(0, {9, 13}) == 0);
}

// datasketch 2.0.0: MinHashLSH(threshold, num_perm) -> (b, r)
TEST_CASE("lsh: bands and rows as datasketch chooses them") {
  struct Case {
    double threshold;
    int num_hashes, bands, rows;
  };
  for (const Case& c :
       std::vector<Case>{Case{0.3, 16, 8, 2},    Case{0.3, 64, 21, 3},   Case{0.3, 128, 37, 3},
                         Case{0.3, 250, 62, 4},  Case{0.5, 16, 5, 3},    Case{0.5, 64, 14, 4},
                         Case{0.5, 128, 25, 5},  Case{0.5, 250, 41, 6},  Case{0.7, 16, 3, 5},
                         Case{0.7, 64, 8, 8},    Case{0.7, 128, 14, 9},  Case{0.7, 250, 25, 10},
                         Case{0.8, 16, 2, 8},    Case{0.8, 64, 5, 11},   Case{0.8, 128, 9, 13},
                         Case{0.8, 250, 16, 15}, Case{0.9, 16, 1, 15},   Case{0.9, 64, 3, 21},
                         Case{0.9, 128, 5, 25},  Case{0.9, 250, 9, 27},  Case{0.95, 16, 1, 16},
                         Case{0.95, 64, 2, 32},  Case{0.95, 128, 3, 42}, Case{0.95, 250, 5, 50}}) {
    const BandsAndRows best = best_for_threshold(c.threshold, c.num_hashes);
    INFO(c.threshold << " " << c.num_hashes);
    CHECK(best.bands == c.bands);
    CHECK(best.rows == c.rows);
  }
}
