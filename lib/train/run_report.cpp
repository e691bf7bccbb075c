#include "lib/train/run_report.h"

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/progress.h"
#include "lib/report/page.h"
#include "lib/report/plot.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSampleBytes = 4000, kDetailBytes = 400, kNameBytes = 100;
constexpr size_t kShownEvents = 60;

std::string utc(double unix_seconds) {
  const bool known = unix_seconds > 0 && unix_seconds < 1e11;
  const auto seconds = static_cast<std::time_t>(known ? unix_seconds : 0);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return known ? text : "";
}

// How the run stands, in a line.
std::string standing(const RunHistory& h) {
  const TrainResult& r = h.result();
  const std::string& name = h.state().name;
  std::string text = concat("step ", r.steps);
  if (r.steps_wanted > 0) text += concat(" of ", r.steps_wanted);
  if (name == "finished") {
    text += ", finished";
  } else if (name == "interrupted") {
    text += ", stopped; --resume goes on with it";
  } else if (name == "failed") {
    text += ", failed: " + shortened(h.state().detail, kDetailBytes);
  } else {
    text += ", not finished when this was written";
  }
  const std::string when = utc(h.last_time());
  return when.empty() ? text : text + " (" + when + ")";
}

Facts headlines(const RunHistory& h) {
  const TrainResult& r = h.result();
  Facts facts;
  if (std::isfinite(r.loss)) facts.emplace_back("loss", formatted("%.4f", r.loss));
  if (std::isfinite(r.validation_loss)) {
    facts.emplace_back("validation loss", formatted("%.4f", r.validation_loss));
  }
  facts.emplace_back("tokens", human_count(static_cast<double>(r.tokens)));
  if (r.seconds > 0) facts.emplace_back("tokens per second", human_count(r.tokens_per_second));
  if (std::isfinite(r.mfu())) facts.emplace_back("MFU", formatted("%.1f%%", 100 * r.mfu()));
  facts.emplace_back("time", human_seconds(r.wall_seconds));
  if (r.energy_seconds > 0) {
    facts.emplace_back("energy", human_count(r.watt_hours()) + " Wh");
    facts.emplace_back("CO2e", human_count(1000 * r.carbon_kg()) + " g");
  }
  return facts;
}

std::vector<PlotMark> marks(const RunHistory& h) {
  std::vector<PlotMark> all;
  for (const RunHistory::Event& e : h.events()) {
    if (e.name == "checkpoint" || e.name == "validation") continue;
    if (e.name == "start" || e.name == "finished") continue;
    all.push_back(
        {static_cast<double>(e.step), concat(shortened(e.name, kNameBytes), " at step ", e.step)});
  }
  return all;
}

std::string plots(const RunHistory& h) {
  const auto one = [&](const char* title, const char* key, Plot plot) {
    if (h.curve(key).empty()) return std::string();
    plot.title = title;
    plot.series = {{title, &h.curve(key)}};
    plot.marks = marks(h);
    return plot_figure(plot);
  };
  Plot loss;
  loss.title = "loss, nats per token";
  loss.series = {{"training", &h.curve("loss")},
                 {"validation", &h.curve("validation_loss"), /*dots=*/true}};
  loss.marks = marks(h);
  loss.log_y = true;
  Plot log, from_zero, percent;
  log.log_y = true;
  from_zero.from_zero = true;
  percent.from_zero = percent.percent = true;
  return "<div class=\"plots\">\n" + plot_figure(loss) + one("learning rate", "lr", from_zero) +
         one("gradient norm", "grad_norm", log) +
         one("tokens per second", "tokens_per_second", from_zero) +
         one("model-FLOP utilisation", "mfu", percent) +
         one("memory of the process, bytes", "memory_bytes", from_zero) + "</div>\n";
}

std::string samples(const RunHistory& h) {
  std::string html;
  bool first = true;
  for (const RunHistory::Sample& s : h.samples()) {
    html += concat("<p class=\"note\">step ", s.step, "</p>");
    html += "<pre>" + escape_html(shortened(s.text, kSampleBytes)) + "</pre>\n";
    if (first && h.samples_left_out() > 0) {
      html += concat("<p class=\"note\">", h.samples_left_out(),
                     " samples are left out here; all are in metrics.jsonl</p>\n");
    }
    first = false;
  }
  return html;
}

std::string events(const RunHistory& h) {
  const auto& all = h.events();
  const size_t skip = all.size() > kShownEvents ? all.size() - kShownEvents : 0;
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i > 0 && i <= skip) continue;  // the first, and the last ones
    const RunHistory::Event& e = all[i];
    rows.push_back({concat(e.step), utc(e.time), shortened(e.name, kNameBytes),
                    shortened(e.detail, kDetailBytes)});
  }
  const int64_t left_out = h.events_left_out() + static_cast<int64_t>(skip);
  std::string html = grid_table({"step", "time", "event", ""}, rows);
  if (left_out > 0) {
    html += concat(
        "<p class=\"note\">", left_out,
        " events between the first and the last ones are left out; all are in metrics.jsonl</p>\n");
  }
  return html;
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A table for each group of the settings; what stands outside of one is shown elsewhere.
void add_settings(const RunHistory& h, Page& page) {
  const Json json = Json::parse(h.settings(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  std::string columns;
  for (const auto& [key, heading] : {std::pair{"training", "Settings"},
                                     {"model", "Model"},
                                     {"data", "Data"},
                                     {"machine", "Machine"}}) {
    const auto group = json.find(key);
    if (group == json.end() || !group->is_object()) continue;
    Facts facts;
    for (const auto& [name, value] : group->items()) {
      facts.emplace_back(shortened(name, kNameBytes), shortened(shown(value), kDetailBytes));
    }
    columns += "<div>" + section(heading, facts_table(facts)) + "</div>";
  }
  page.add("<div class=\"columns\">" + columns + "</div>\n");
}

}  // namespace

std::string run_report(const RunHistory& history, const std::string& name) {
  Page page("Training run: " + name);
  page.set_subtitle(standing(history));
  page.add(tiles(headlines(history)));
  page.add(plots(history));
  if (!history.samples().empty()) page.add(section("Generated text", samples(history)));
  page.add(section("Result", facts_table(result_rows(history.result()))));
  page.add(section("Events", events(history)));
  add_settings(history, page);
  return page.html();
}

std::string report_name(const fs::path& run) {
  const fs::path path = fs::absolute(run / "x").lexically_normal().parent_path();
  return path.filename().string();
}

RunHistory read_history(const fs::path& run) {
  const fs::path path = run / "metrics.jsonl";
  if (!fs::exists(path)) {
    fail(Fault::kIo, concat(run.string(), ": there is no metrics.jsonl in it"),
         "expected a folder that `llmtool train` wrote");
  }
  RunHistory history;
  bool any = false;
  read_metrics(path, [&](const MetricsLine& line, std::string_view) {
    history.add(line);
    any = true;
  });
  check(any, Fault::kInput, path.string(), ": no line of it is one of a training run");
  return history;
}

}  // namespace llmtool
