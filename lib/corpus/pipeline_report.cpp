#include "lib/corpus/pipeline_report.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/progress.h"
#include "lib/report/histogram.h"
#include "lib/report/page.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

using nlohmann::json;

json count_json(const DocumentCount& count) {
  return {{"documents", count.documents}, {"bytes", count.bytes}};
}

std::string percent(uint64_t part, uint64_t whole) {
  return whole == 0
             ? "-"
             : formatted("%.2f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string rate(const PipelineResult& result) {
  return human_bytes(static_cast<double>(result.input_bytes) / std::max(1e-9, result.seconds)) +
         "/s";
}

std::string line(const std::string& name, const std::string& documents, const std::string& bytes,
                 const std::string& note = {}) {
  return formatted("%-44s %14s %12s  %s\n", name.c_str(), documents.c_str(), bytes.c_str(),
                   note.c_str());
}

std::string count_line(const std::string& name, const DocumentCount& count,
                       const std::string& note = {}) {
  return line(name, concat(count.documents), human_bytes(static_cast<double>(count.bytes)), note);
}

Facts shown(const std::vector<Fact>& facts) {
  Facts lines;
  for (const Fact& f : facts) {
    lines.emplace_back(f.group.empty() ? f.name : concat(f.group, ", ", f.name), f.text);
  }
  return lines;
}

std::string step_lines(const StepStats& s, const StepFindings& findings) {
  std::string text = count_line(
      s.step, s.out, concat(percent(s.out.documents, s.in.documents), " of the documents stay"));
  for (const auto& [rule, count] : s.rejected) {
    text += count_line("  dropped: " + rule, count, percent(count.documents, s.in.documents));
  }
  for (const auto& [what, count] : s.changed) {
    text += line((count.bytes > 0 ? "  removed: " : "  counted: ") + what, concat(count.times),
                 human_bytes(static_cast<double>(count.bytes)),
                 concat("in ", count.documents, " documents"));
  }
  for (const auto& [name, value] : shown(findings.facts)) {
    text += concat("  ", name, ": ", value, "\n");
  }
  return text;
}

std::string threshold_text(const Figure& f) {
  std::string text;
  if (f.at_least) text += concat("at least ", *f.at_least);
  if (f.at_most) text += concat(text.empty() ? "" : ", ", "at most ", *f.at_most);
  return text;
}

HistogramPlot histogram_plot(const Figure& figure, const FigureStats& stats) {
  HistogramPlot plot;
  plot.title = figure.name;
  for (size_t i = 0; i <= Histogram::kBins; ++i) plot.edges.push_back(bin_edge(figure, i));
  plot.counts.assign(stats.histogram.bins.begin(), stats.histogram.bins.end());
  plot.log_x = figure.scale == Figure::Scale::kLog;
  if (figure.at_least) plot.marks.push_back({*figure.at_least, "at least"});
  if (figure.at_most) plot.marks.push_back({*figure.at_most, "at most"});
  return plot;
}

void add_samples(std::vector<std::vector<std::string>>& rows, std::string_view side,
                 const std::vector<ThresholdSample>& samples) {
  for (const ThresholdSample& s : samples) {
    const std::string id = s.id.empty() ? std::string() : s.id + ": ";
    rows.push_back({std::string(side), formatted("%.6g", s.value), id + s.excerpt});
  }
}

std::string figure_html(const Figure& figure, const FigureStats& stats) {
  if (stats.histogram.count == 0) return {};
  const Histogram& h = stats.histogram;
  std::string html = histogram_figure(histogram_plot(figure, stats));
  Facts facts = {{"documents", concat(h.count)},
                 {"least", formatted("%.6g", h.least)},
                 {"mean", formatted("%.6g", h.sum / static_cast<double>(h.count))},
                 {"greatest", formatted("%.6g", h.greatest)}};
  if (!threshold_text(figure).empty()) facts.push_back({"stays", threshold_text(figure)});
  html += facts_table(facts);
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < stats.kept.size(); ++i) {
    add_samples(rows, "stays", stats.kept[i]);
    add_samples(rows, "goes", stats.dropped[i]);
  }
  if (!rows.empty()) html += grid_table({"side", figure.name, "document"}, rows);
  return html;
}

std::string reasons_html(const StepStats& s) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [rule, count] : s.rejected) {
    rows.push_back({rule, concat(count.documents), percent(count.documents, s.in.documents),
                    human_bytes(static_cast<double>(count.bytes)),
                    percent(count.bytes, s.in.bytes)});
  }
  std::string html;
  if (!rows.empty()) html += grid_table({"dropped by", "documents", "", "text", ""}, rows);
  rows.clear();
  for (const auto& [what, count] : s.changed) {
    rows.push_back({what, concat(count.times), concat(count.documents),
                    human_bytes(static_cast<double>(count.bytes))});
  }
  if (!rows.empty()) html += grid_table({"removed or counted", "times", "documents", "text"}, rows);
  return html;
}

std::string step_html(const StepStats& s, const StepFindings& findings) {
  std::string html = tiles({{"documents in", human_count(static_cast<double>(s.in.documents))},
                            {"documents out", human_count(static_cast<double>(s.out.documents))},
                            {"stay", percent(s.out.documents, s.in.documents)},
                            {"text out", human_bytes(static_cast<double>(s.out.bytes))}});
  html += reasons_html(s);
  if (!findings.facts.empty()) html += facts_table(shown(findings.facts));
  html += findings.html;
  for (size_t i = 0; i < s.figures.size(); ++i) html += figure_html(s.figures[i], s.measured[i]);
  return section(s.step, html);
}

std::string report_html(const std::string& command, const PipelineResult& r) {
  Page page("llmtool " + command);
  page.add(tiles({{"documents read", human_count(static_cast<double>(r.read.documents))},
                  {"text read", human_bytes(static_cast<double>(r.read.bytes))},
                  {"documents left", human_count(static_cast<double>(r.written.documents))},
                  {"text left", human_bytes(static_cast<double>(r.written.bytes))},
                  {"speed", rate(r)}}));
  if (r.bad_records > 0 || r.problem_count > 0) {
    Facts facts = {{"records that cannot be read", concat(r.bad_records)}};
    if (!r.first_bad.empty()) facts.push_back({"the first", r.first_bad});
    for (const std::string& problem : r.problems) facts.push_back({"problem", problem});
    page.add(section("What could not be read", facts_table(facts)));
  }
  if (r.repeated_id_count > 0) {
    Facts facts = {{"documents with the id of an earlier one", concat(r.repeated_id_count)}};
    for (const std::string& id : r.repeated_ids) facts.push_back({"repeated", id});
    page.add(section("Ids that are not unique", facts_table(facts)));
  }
  for (size_t i = 0; i < r.steps.size(); ++i) page.add(step_html(r.steps[i], r.findings[i]));
  return page.html();
}

}  // namespace

std::string pipeline_json(const PipelineResult& r) {
  json steps = json::parse(stats_json(r.steps));
  for (size_t i = 0; i < steps.size(); ++i) {
    steps[i]["facts"] = json::parse(facts_json(r.findings[i].facts));
  }
  const json j = {{"read", count_json(r.read)},
                  {"written", count_json(r.written)},
                  {"input_bytes", r.input_bytes},
                  {"seconds", r.seconds},
                  {"resumed", r.resumed},
                  {"bad_records", r.bad_records},
                  {"first_bad", r.first_bad},
                  {"problems", r.problems},
                  {"problem_count", r.problem_count},
                  {"repeated_ids", r.repeated_ids},
                  {"repeated_id_count", r.repeated_id_count},
                  {"steps", steps}};
  return j.dump(1, ' ', false, json::error_handler_t::replace);
}

std::string pipeline_table(const PipelineResult& r) {
  std::string text = line("step", "documents", "text");
  text += count_line("read", r.read, concat(human_seconds(r.seconds), ", ", rate(r)));
  for (size_t i = 0; i < r.steps.size(); ++i) text += step_lines(r.steps[i], r.findings[i]);
  return text + count_line("left", r.written);
}

void write_pipeline_report(const fs::path& folder, const std::string& command,
                           const PipelineResult& result) {
  create_folder(folder);
  write_file(folder / "report.json", pipeline_json(result) + "\n");
  write_file(folder / "report.html", report_html(command, result));
}

}  // namespace llmtool
