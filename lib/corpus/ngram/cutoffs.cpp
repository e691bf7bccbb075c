#include "lib/corpus/ngram/cutoffs.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"

namespace llmtool {
namespace {

constexpr size_t kMaxLine = size_t{1} << 24;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t comma = line.find(',');
    std::string_view field = line.substr(0, comma);
    while (field.starts_with(' ')) field.remove_prefix(1);
    while (field.ends_with(' ') || field.ends_with('\r')) field.remove_suffix(1);
    fields.push_back(field);
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

std::optional<double> number_of(std::string_view field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) {
    return {};
  }
  return value;
}

}  // namespace

PercentilePlace percentile_place(uint64_t count, double percentile) {
  LLMTOOL_ASSERT(count > 0);
  const double place = static_cast<double>(count - 1) * (percentile / 100);
  const double below = std::floor(place);
  return {static_cast<uint64_t>(below), place - below};
}

std::string cutoffs_csv(const CutoffTable& table) {
  std::string csv = "percentile";
  for (const auto& [language, values] : table.columns) csv += "," + language;
  csv += "\n";
  for (size_t i = 0; i < table.percentiles.size(); ++i) {
    csv += concat(table.percentiles[i]);
    for (const auto& [language, values] : table.columns) csv += concat(",", values[i]);
    csv += "\n";
  }
  return csv;
}

std::map<std::string, Cutoffs> read_cutoffs(const fs::path& path, double head, double tail) {
  LineReader lines(path, kMaxLine);
  std::string_view line;
  check(lines.next(line), Fault::kInput, path.string(), ": empty, expected a table of cut-offs");
  std::vector<std::string> languages;
  for (const std::string_view field : fields_of(line)) languages.emplace_back(field);
  check(languages.size() >= 2, Fault::kInput, lines.where(),
        ": expected a column of percentiles and one for each language");
  std::map<std::string, Cutoffs> cutoffs;
  bool has_head = false, has_tail = false;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto fields = fields_of(line);
    check(fields.size() == languages.size(), Fault::kInput, lines.where(), ": ", fields.size(),
          " fields, expected ", languages.size());
    const auto percentile = number_of(fields[0]);
    check(percentile.has_value(), Fault::kInput, lines.where(), ": percentile '", fields[0],
          "', expected a number");
    if (*percentile != head && *percentile != tail) continue;
    for (size_t i = 1; i < fields.size(); ++i) {
      if (fields[i].empty()) continue;
      const auto value = number_of(fields[i]);
      check(value.has_value(), Fault::kInput, lines.where(), ": cut-off '", fields[i],
            "', expected a number");
      if (*percentile == head) cutoffs[languages[i]].head = *value;
      if (*percentile == tail) cutoffs[languages[i]].tail = *value;
    }
    has_head = has_head || *percentile == head;
    has_tail = has_tail || *percentile == tail;
  }
  check(has_head && has_tail, Fault::kInput, path.string(), ": no row of percentile ",
        has_head ? tail : head);
  return cutoffs;
}

}  // namespace llmtool
