// Plots of curves as inline SVG.
#pragma once

#include <string>
#include <vector>

#include "lib/report/curve.h"

namespace llmtool {

struct PlotSeries {
  std::string label;
  const Curve* curve = nullptr;  // drawn as its means, in a band from min to max
  bool dots = false;             // a dot at each bucket: for few points
};

// A vertical line with a name.
struct PlotMark {
  double x = 0;
  std::string label;
};

struct Plot {
  std::string title;
  std::string x_label = "step";
  std::vector<PlotSeries> series;
  std::vector<PlotMark> marks;
  bool log_y = false;      // used where all values are above 0
  bool from_zero = false;  // the y axis begins at 0 (not with log_y)
  bool percent = false;    // 0.5 is shown as 50%
};

// A <figure>: the title, a legend, the plot, and the values under the pointer. The same input gives
// the same bytes. A plot without a point says so.
std::string plot_figure(const Plot& plot);

}  // namespace llmtool
