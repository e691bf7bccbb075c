#include "lib/report/histogram.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/report/axis.h"
#include "lib/report/page.h"

namespace llmtool {
namespace {

// Of the drawing, in its own units.
constexpr double kWidth = 640, kHeight = 160;
constexpr double kLeft = 52, kRight = kWidth - 10, kTop = 8, kBottom = kHeight - 22;

class Drawing {
 public:
  explicit Drawing(const HistogramPlot& plot)
      : plot_(plot),
        x_(plot.edges.front(), plot.edges.back(), plot.log_x),
        y_(0, std::max<double>(1, static_cast<double>(*std::ranges::max_element(plot.counts))),
           false) {}

  std::string svg() const {
    std::string out =
        formatted("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", kWidth, kHeight);
    out += escape_html(plot_.title) + "\">\n";
    draw_grid(out);
    for (size_t i = 0; i < plot_.counts.size(); ++i) draw_bar(out, i);
    for (const PlotMark& mark : plot_.marks) draw_mark(out, mark);
    return out + "</svg>\n";
  }

 private:
  double px(double x) const { return kLeft + x_.place(x) * (kRight - kLeft); }
  double py(double y) const { return kBottom - y_.place(y) * (kBottom - kTop); }

  void draw_grid(std::string& out) const {
    for (const double y : y_.ticks(4)) {
      out += formatted("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", kLeft,
                       kRight, py(y), py(y));
      out += formatted("<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", kLeft - 6,
                       py(y) + 4, axis_label(y).c_str());
    }
    for (const double x : x_.ticks(8)) {
      out += formatted("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%s</text>\n", px(x),
                       kBottom + 15, axis_label(x).c_str());
    }
  }

  void draw_bar(std::string& out, size_t i) const {
    if (plot_.counts[i] == 0) return;
    const double left = px(plot_.edges[i]), right = px(plot_.edges[i + 1]);
    // What is there at all can be seen.
    const double top = std::min(py(static_cast<double>(plot_.counts[i])), kBottom - 1);
    out += formatted("<rect class=\"f0\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
                     left, top, std::max(0.5, right - left - 0.5), kBottom - top);
    out += concat("<title>", axis_label(plot_.edges[i]), " to ", axis_label(plot_.edges[i + 1]),
                  ": ", plot_.counts[i], "</title></rect>\n");
  }

  void draw_mark(std::string& out, const PlotMark& mark) const {
    out += formatted("<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"><title>",
                     px(mark.x), px(mark.x), kTop, kBottom);
    out += escape_html(concat(mark.label, " ", mark.x)) + "</title></line>\n";
  }

  const HistogramPlot& plot_;
  Axis x_, y_;
};

}  // namespace

std::string histogram_figure(const HistogramPlot& plot) {
  LLMTOOL_ASSERT(!plot.counts.empty() && plot.edges.size() == plot.counts.size() + 1);
  std::string title = plot.title;
  for (const PlotMark& mark : plot.marks) title += concat(", ", mark.label, " ", mark.x);
  return "<figure>\n<figcaption>" + escape_html(title) + "</figcaption>\n" + Drawing(plot).svg() +
         "</figure>\n";
}

}  // namespace llmtool
