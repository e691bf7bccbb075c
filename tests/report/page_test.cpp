#include "lib/report/page.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

#include "lib/report/axis.h"
#include "lib/report/plot.h"
#include "lib/report/table.h"

using namespace llmtool;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kHostile =
    "</pre><script>alert('1')</script><img src=\"http://x\" onerror=a>&";

}  // namespace

TEST_CASE("page: text from data is text, whatever is in it") {
  CHECK(escape_html("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(escape_html("a\nb\tc") == "a\nb\tc");
  CHECK(escape_html("\x01\x7f") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(escape_html("\xff z\xc3") == "\xef\xbf\xbd z\xef\xbf\xbd");
  CHECK(escape_html(std::string_view("\0", 1)) == "\xef\xbf\xbd");
  Page page(kHostile);
  page.set_subtitle(kHostile);
  page.add(section(kHostile, facts_table({{kHostile, kHostile}})));
  page.add(tiles({{kHostile, kHostile}}));
  page.add(grid_table({kHostile}, {{kHostile}}));
  Curve curve;
  curve.add(1, 2);
  Plot plot;
  plot.title = kHostile;
  plot.x_label = kHostile;
  plot.series = {{"\"\\ \xff", &curve}, {kHostile, &curve}};
  plot.marks = {{1, kHostile}};
  page.add(plot_figure(plot));
  const std::string html = page.html();
  CHECK(!has(html, "alert('1')"));
  CHECK(!has(html, "<img"));
  CHECK(has(html, "default-src 'none'"));
  CHECK(!has(html, "href="));
  CHECK(!has(html, "src=\""));
  CHECK(has(html, R"(&quot;label&quot;:&quot;\&quot;\\ )"));  // JSON, escaped as HTML
}

TEST_CASE("page: a text is cut between characters") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "abc...");
  CHECK(shortened("a\xc3\xa4\xc3\xa4", 4) == "a\xc3\xa4...");
  CHECK(shortened("\x80\x80\x80", 1) == "...");
}

TEST_CASE("axis: ticks are round and inside") {
  CHECK(Axis(0, 1, false).ticks(5).size() == 6);
  CHECK(Axis(0, 1, false).ticks(5)[1] == doctest::Approx(0.2));
  CHECK(Axis(1, 300, true).ticks(8) == std::vector<double>{1, 2, 5, 10, 20, 50, 100, 200});
  CHECK(Axis(1, 1e12, true).ticks(5).size() <= 6);
  CHECK(!std::signbit(Axis(0, 300, false).ticks(5).front()));
  for (const auto& [low, high] : {std::pair{3.0, 3.0}, {0.0, 0.0}, {-2.0, -2.0}, {1e-9, 2e-9}}) {
    const Axis axis(low, high, false);
    CHECK(axis.ticks(5).size() >= 2);
    CHECK(axis.ticks(5).size() <= 12);
    CHECK(axis.place(low) >= 0);
    CHECK(axis.place(high) <= 1);
  }
  CHECK(Axis(2.1, 9.3, true).ticks(5).size() >= 3);
  CHECK(axis_label(12500) == "12.5k");
  CHECK(axis_label(0.0005) == "0.0005");
  CHECK(axis_label(0.25, true) == "25%");
}

TEST_CASE("axis: values that a double hardly tells apart, the smallest and the largest ones") {
  constexpr double kMax = std::numeric_limits<double>::max();
  for (const auto& [low, high] : {std::pair{9223372036854770000.0, 9223372036854772048.0},
                                  {1.0, std::nextafter(1.0, 2.0)},
                                  {-1e300, std::nextafter(-1e300, 0.0)},
                                  {1.0, 1 + 1e-8},
                                  {5e-324, 1e-323},
                                  {-kMax, kMax}}) {
    CAPTURE(low);
    for (const bool log : {false, true}) {
      if (log && low < 0) continue;
      const Axis axis(low, high, log);
      const auto ticks = axis.ticks(5);
      CHECK(ticks.size() >= 2);
      CHECK(ticks.size() <= 12);
      for (size_t i = 1; i < ticks.size(); ++i) CHECK(ticks[i - 1] < ticks[i]);
    }
  }
}

TEST_CASE("plot: nothing to show, one point, and values that no log has") {
  Curve empty, one, negative;
  one.add(5, 3);
  negative.add(1, -1);
  negative.add(2, 100);
  Plot plot;
  plot.title = "t";
  plot.log_y = true;
  plot.series = {{"a", &empty}};
  CHECK(has(plot_figure(plot), "nothing to show yet"));
  plot.series = {{"a", &one}};
  CHECK(has(plot_figure(plot), "<circle"));
  plot.series = {{"a", &negative}};
  const std::string figure = plot_figure(plot);
  CHECK(has(figure, "<polyline"));
  CHECK(!has(figure, "nan"));
  CHECK(!has(figure, "inf"));
}
