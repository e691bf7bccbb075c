#include "lib/report/plot.h"

#include <algorithm>
#include <limits>

#include "lib/base/formatted.h"
#include "lib/io/jsonl.h"
#include "lib/report/axis.h"
#include "lib/report/page.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

// Of the drawing, in its own units.
constexpr double kWidth = 640, kHeight = 240;
constexpr double kLeft = 52, kRight = kWidth - 10, kTop = 8, kBottom = kHeight - 34;

// The range of everything drawn.
struct Range {
  double x0 = std::numeric_limits<double>::infinity(), x1 = -x0;
  double y0 = x0, y1 = -x0;

  explicit Range(const Plot& plot) {
    for (const PlotSeries& s : plot.series) {
      for (const Curve::Bucket& b : s.curve->buckets()) {
        x0 = std::min(x0, b.first_x);
        x1 = std::max(x1, b.last_x);
        y0 = std::min(y0, b.min);
        y1 = std::max(y1, b.max);
      }
    }
  }
  bool empty() const { return x0 > x1; }
};

double middle(const Curve::Bucket& b) {
  return 0.5 * (b.first_x + b.last_x);
}

std::string json_string(const std::string& text) {
  std::string out;
  append_json_string(out, with_valid_utf8(text));
  return out;
}

class Drawing {
 public:
  Drawing(const Plot& plot, const Range& range)
      : plot_(plot),
        log_(plot.log_y && range.y0 > 0),
        x_(range.x0, range.x1, false),
        y_(y_axis(range)) {}

  std::string svg() const {
    std::string out =
        formatted("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", kWidth, kHeight);
    out += escape_html(plot_.title) + "\">\n";
    draw_grid(out);
    draw_marks(out);
    for (size_t i = 0; i < plot_.series.size(); ++i) draw_series(out, plot_.series[i], i);
    out += formatted(
        "<line class=\"pointer\" visibility=\"hidden\" x1=\"0\" x2=\"0\" y1=\"%g\" "
        "y2=\"%g\"/>\n</svg>\n",
        kTop, kBottom);
    return out;
  }

  // What the script needs to find a value under the pointer.
  std::string frame() const {
    return formatted("{\"width\":%g,\"left\":%g,\"right\":%g,\"x0\":%.9g,\"x1\":%.9g,\"label\":",
                     kWidth, kLeft, kRight, x_.low(), x_.high()) +
           json_string(plot_.x_label) + "}";
  }

  std::string data() const {
    std::string out = "[";
    for (const PlotSeries& s : plot_.series) {
      if (s.curve->empty()) continue;
      out += series_json(out.size() > 1 ? "," : "", s);
    }
    return out + "]";
  }

 private:
  Axis y_axis(const Range& r) const {
    if (log_) return Axis(r.y0 * 0.97, r.y1 * 1.03, true);
    const double edge = 0.05 * (r.y1 - r.y0);
    return Axis(plot_.from_zero ? std::min(0.0, r.y0) : r.y0 - edge, r.y1 + edge, false);
  }

  double px(double x) const { return kLeft + x_.place(x) * (kRight - kLeft); }
  double py(double y) const { return kBottom - y_.place(y) * (kBottom - kTop); }

  static std::string series_json(const char* before, const PlotSeries& s) {
    std::string out = std::string(before) + "{\"label\":" + json_string(s.label) +
                      ",\"dots\":" + (s.dots ? "true" : "false") + ",\"points\":[";
    for (const Curve::Bucket& b : s.curve->buckets()) {
      if (out.back() == ']') out += ',';
      out += b.count == 1 ? formatted("[%.9g,%.5g]", b.last_x, b.mean)
                          : formatted("[%.9g,%.5g,%.5g,%.5g]", middle(b), b.mean, b.min, b.max);
    }
    return out + "]}";
  }

  void draw_grid(std::string& out) const {
    for (const double y : y_.ticks(5)) {
      out += formatted("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", kLeft,
                       kRight, py(y), py(y));
      out += formatted("<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">", kLeft - 6, py(y) + 4);
      out += axis_label(y, plot_.percent) + "</text>\n";
    }
    for (const double x : x_.ticks(7)) {
      out += formatted("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"/>", px(x),
                       px(x), kTop, kBottom);
      out += formatted("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">", px(x), kBottom + 15);
      out += axis_label(x) + "</text>\n";
    }
    out += formatted("<text x=\"%g\" y=\"%g\" text-anchor=\"end\">", kRight, kHeight - 5);
    out += escape_html(plot_.x_label) + "</text>\n";
  }

  void draw_marks(std::string& out) const {
    for (const PlotMark& m : plot_.marks) {
      if (m.x < x_.low() || m.x > x_.high()) continue;
      out += formatted("<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"><title>",
                       px(m.x), px(m.x), kTop, kBottom);
      out += escape_html(m.label) + "</title></line>\n";
    }
  }

  void draw_series(std::string& out, const PlotSeries& s, size_t index) const {
    const auto colour = static_cast<int>(index % 4);
    const auto& buckets = s.curve->buckets();
    const bool band = std::ranges::any_of(buckets, [](const auto& b) { return b.count > 1; });
    if (band) draw_band(out, s, colour);
    if (buckets.size() > 1) {
      out += formatted("<polyline class=\"l%d\" points=\"", colour);
      for (const Curve::Bucket& b : buckets) out += point(b, b.mean);
      out += "\"/>\n";
    }
    if (!s.dots && buckets.size() > 1) return;
    for (const Curve::Bucket& b : buckets) {
      out += formatted("<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>", colour,
                       px(middle(b)), py(b.mean));
    }
    out += '\n';
  }

  void draw_band(std::string& out, const PlotSeries& s, int colour) const {
    const auto& buckets = s.curve->buckets();
    out += formatted("<polygon class=\"f%d\" points=\"", colour);
    for (const Curve::Bucket& b : buckets) out += point(b, b.max);
    for (auto b = buckets.rbegin(); b != buckets.rend(); ++b) out += point(*b, b->min);
    out += "\"/>\n";
  }

  std::string point(const Curve::Bucket& b, double y) const {
    return formatted("%.1f,%.1f ", px(middle(b)), py(y));
  }

  const Plot& plot_;
  bool log_;
  Axis x_, y_;
};

std::string caption(const Plot& plot) {
  std::string out = "<figcaption>" + escape_html(plot.title);
  for (size_t i = 0; plot.series.size() > 1 && i < plot.series.size(); ++i) {
    if (plot.series[i].curve->empty()) continue;
    out += formatted("<span class=\"legend\"><i class=\"f%d\"></i>", static_cast<int>(i % 4));
    out += escape_html(plot.series[i].label) + "</span>";
  }
  return out + "</figcaption>\n";
}

std::string reading(const Plot& plot) {
  const bool banded = std::ranges::any_of(plot.series, [](const PlotSeries& s) {
    return std::ranges::any_of(s.curve->buckets(), [](const auto& b) { return b.count > 1; });
  });
  return std::string("<div class=\"reading\">") +
         (banded ? "line: mean of neighbouring steps; band: their least and greatest" : "") +
         "</div>\n";
}

}  // namespace

std::string plot_figure(const Plot& plot) {
  const Range range(plot);
  if (range.empty()) {
    return "<figure>" + caption(plot) + "<p class=\"note\">nothing to show yet</p></figure>\n";
  }
  const Drawing drawing(plot, range);
  return "<figure data-frame=\"" + escape_html(drawing.frame()) + "\" data-series=\"" +
         escape_html(drawing.data()) + "\">" + caption(plot) + drawing.svg() + reading(plot) +
         "</figure>\n";
}

}  // namespace llmtool
