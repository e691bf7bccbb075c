// Perplexities that divide documents of a language into head, middle and tail, as CCNet keeps them
// in its cutoff.csv: a row for each percentile, a column for each language, and in the first column
// the percentiles.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct Cutoffs {
  double head = 0, tail = 0;  // head is below the one, tail from the other on

  std::string_view bucket(double perplexity) const {
    return perplexity < head ? "head" : perplexity < tail ? "middle" : "tail";
  }
};

// Values of each language by percentile.
struct CutoffTable {
  std::vector<double> percentiles;                     // rising
  std::map<std::string, std::vector<double>> columns;  // by language, beside percentiles
};

// The value at a percentile of n sorted values lies between those at the places below and above
// (n - 1) x percentile / 100, in proportion, as numpy.percentile has it.
struct PercentilePlace {
  uint64_t below = 0;
  double share = 0;  // of the way to the next one
};
PercentilePlace percentile_place(uint64_t count, double percentile);

std::string cutoffs_csv(const CutoffTable& table);
// Fault::kInput, naming file and line, for what is no such table or lacks one of the percentiles;
// empty fields are languages without a value. The two percentiles give the cut-offs.
std::map<std::string, Cutoffs> read_cutoffs(const fs::path& path, double head, double tail);

}  // namespace llmtool
