// What a mix of sources is made of: a TOML file as
//     tokens = 20_000_000        # or bytes = 80_000_000: how much there shall be
//     [[source]]
//     name = "web"
//     inputs = ["web/*.jsonl.zst"]
//     share = 0.67               # of the budget; or weight, or epochs
// and the amounts that follow from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

enum class MixUnit { kBytes, kTokens };  // of text, of ids with one end-of-text token a document

struct MixSource {
  std::string name;
  std::vector<std::string> inputs;
  // One of: a share of the budget; a weight for what shares and epochs leave of the budget; how
  // often the source is gone through.
  std::optional<double> share, weight, epochs;
  // Each value of this member ("attributes.language") is a part of its own; of the source's amount
  // a part of size n gets n^(1/temperature) / sum: 1 leaves them as they are, more raises the
  // small ones (Devlin et al. 2019, mBERT: 1/0.7; Xue et al. 2021, mT5: 1/0.3).
  std::string by;
  double temperature = 1;
  std::string where;  // "file:line"
};

struct MixRecipe {
  std::vector<MixSource> sources;
  MixUnit unit = MixUnit::kBytes;
  uint64_t budget = 0;  // 0: none given
  std::optional<uint64_t> seed;
};

// Fault::kUsage with file and line for what is no such file.
MixRecipe read_mix_recipe(const fs::path& path);

// How much of each source, in units, given their sizes. Without a budget: as much as there is
// before a source with a share or a weight is gone through once. Fault::kUsage if shares, epochs
// and budget contradict each other; Fault::kInput if an empty source is asked for.
std::vector<double> mix_amounts(const MixRecipe& recipe, std::span<const uint64_t> sizes);

// The parts of an amount by temperature.
std::vector<double> temperature_shares(std::span<const uint64_t> sizes, double temperature);

}  // namespace llmtool
