// What `mix` and `tokenize --mix` share: a recipe with flags over it, the bar, the report.
#pragma once

#include <string>

#include "lib/corpus/mix/mix.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace llmtool {

struct MixFlags {
  std::string work, report;
  uint64_t tokens = 0, bytes = 0, memory = uint64_t{2} << 30;
};

std::vector<CLI::Option*> add_mix_flags(CLI::App& app, MixFlags& flags);

// The recipe of a file with the budget of the flags, if they have one; seed: over that of the file
// if it was given. output: temporary files lie beside it unless the flags say otherwise.
MixOptions mix_options(const MixFlags& flags, const std::string& file, const CLI::App& app,
                       uint64_t seed, const std::string& output);

// A bar for each phase.
class MixBar {
 public:
  MixBar();
  ~MixBar();
  const MixProgress& callbacks() const;
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Files of the report, for MixOptions::own.
std::vector<fs::path> own_reports(const MixFlags& flags);

// Warns of inputs that are read twice and of sources that are repeated often; writes the report.
void report_mix(const MixFlags& flags, const MixResult& result);

extern const char* const kMixHelp;

}  // namespace llmtool
