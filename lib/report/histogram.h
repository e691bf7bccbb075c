// Histograms as inline SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/report/plot.h"

namespace llmtool {

struct HistogramPlot {
  std::string title;
  std::vector<double> edges;     // one more than counts, rising; above 0 with log_x
  std::vector<uint64_t> counts;  // what lies outside is in the first and in the last
  std::vector<PlotMark> marks;   // thresholds; those outside are drawn at the end
  bool log_x = false;
};

// A <figure>: the title with the marks' names and values, bars over a scale, a line for each mark.
// Counts under the pointer. The same input gives the same bytes.
std::string histogram_figure(const HistogramPlot& plot);

}  // namespace llmtool
