// What a pipeline counts: for each step how many documents and bytes came in and went out, why the
// others did not, and how what was measured is spread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/corpus/step.h"

namespace llmtool {

struct DocumentCount {
  uint64_t documents = 0, bytes = 0;  // bytes of text
  void add(uint64_t text_bytes) {
    ++documents;
    bytes += text_bytes;
  }
  void add(const DocumentCount& other) {
    documents += other.documents;
    bytes += other.bytes;
  }
};

struct ChangeCount {
  uint64_t times = 0, bytes = 0, documents = 0;
};

// A document near a threshold.
struct ThresholdSample {
  double value = 0;
  std::string id, excerpt;
};

class Histogram {
 public:
  static constexpr size_t kBins = 64;

  void add(const Figure& figure, double value);
  void add(const Histogram& other);

  std::array<uint64_t, kBins> bins{};
  uint64_t count = 0, not_finite = 0;
  double sum = 0, least = 0, greatest = 0;  // of the finite ones
};

// Where bin i of a figure begins; i <= kBins.
double bin_edge(const Figure& figure, size_t i);

struct FigureStats {
  Histogram histogram;
  // The documents nearest to each threshold ([0] at_least, [1] at_most), on the side that stays and
  // on the side that goes; nearest first, of equals the one that came first.
  std::array<std::vector<ThresholdSample>, 2> kept, dropped;
};

struct StepStats {
  std::string step;
  std::vector<Figure> figures;
  DocumentCount in, out;
  std::map<std::string, DocumentCount> rejected;  // by rule
  std::map<std::string, ChangeCount> changed;     // by what
  std::vector<FigureStats> measured;              // for each figure

  StepStats(std::string name, std::vector<Figure> all)
      : step(std::move(name)), figures(std::move(all)), measured(figures.size()) {}
};

// As JSON, for reports and checkpoints, and back. Fault::kInput if it is not of this form.
std::string stats_json(const std::vector<StepStats>& all);
void read_stats(std::string_view json, std::vector<StepStats>& all);

// The counts of one step over the documents of one block.
class BlockTally final : public Tally {
 public:
  struct Removed {
    std::string id, what, text, where;
  };

  // keep_samples: for a report; keep_removed: for a folder of what was rejected.
  BlockTally(const StepStats& total, bool keep_samples, bool keep_removed);

  void record(size_t figure, double value, const Document& document) override;
  void change(std::string_view what, uint64_t count, uint64_t bytes, std::string_view removed,
              const Document& document) override;
  bool keeps_removed() const override { return keep_removed_; }
  void enter(const Document& document) { stats_.in.add(document.text.size()); }
  // After the step: whether it was dropped.
  void leave(const Document& document);

  // Adds what was counted; in the order of the blocks, while their documents live.
  void merge_into(StepStats& total) const;
  const std::vector<Removed>& removed() const { return removed_; }

 private:
  struct Near {
    double value = 0;
    const Document* document = nullptr;
  };
  struct Side {
    std::array<std::vector<Near>, 2> kept, dropped;
  };

  const StepStats& total_;
  bool keep_samples_, keep_removed_;
  StepStats stats_;
  std::vector<Side> near_;
  std::vector<Removed> removed_;
  std::map<std::string, const Document*> last_changed_;
};

}  // namespace llmtool
