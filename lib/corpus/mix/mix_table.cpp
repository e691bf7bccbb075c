#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/progress.h"
#include "lib/corpus/mix/mix.h"

namespace llmtool {
namespace {

using json = nlohmann::ordered_json;

// A line of the table: a source, or one value of its `by`.
struct Line {
  std::string name;
  double asked = 0;  // share
  uint64_t stored_bytes = 0;
  MixPart part;
};

double units(const MixResult& result, uint64_t bytes, uint64_t tokens) {
  return static_cast<double>(result.unit == MixUnit::kTokens ? tokens : bytes);
}

double given(const MixResult& result, const MixPart& part) {
  return units(result, part.given_bytes, part.given_tokens);
}

double total_given(const MixResult& result) {
  double total = 0;
  for (const MixResult::Source& source : result.sources) total += given(result, source.sum());
  return total;
}

double epochs(const MixResult& result, const MixPart& part) {
  const double size = units(result, part.bytes, part.tokens);
  return size > 0 ? given(result, part) / size : 0;
}

std::vector<Line> lines_of(const MixResult& result) {
  std::vector<Line> lines;
  for (const MixResult::Source& source : result.sources) {
    const MixPart sum = source.sum();
    lines.push_back({source.name, source.asked, source.stored_bytes, sum});
    const bool is_one = source.parts.size() == 1 && source.parts[0].value.empty();
    for (const MixPart& part : source.parts) {
      if (is_one) continue;
      lines.push_back({"  " + part.value, source.asked * part.wanted / sum.wanted, 0, part});
    }
  }
  return lines;
}

constexpr size_t kNameWidth = 60;

size_t width_of(std::string_view text) {  // code points
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

// A name for a table: values come from documents, and may be long or hold what moves a cursor.
std::string shown(std::string name) {
  for (char& c : name) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (width_of(name) <= kNameWidth) return name;
  while (width_of(name) >= kNameWidth) name.pop_back();
  return name + "\u2026";
}

std::string percent(double share) {
  return formatted("%.2f%%", 100 * share);
}

json part_json(const MixResult& result, const MixPart& part, double asked, double total) {
  json j = {{"share_asked", asked},
            {"share_given", total > 0 ? given(result, part) / total : 0},
            {"epochs", epochs(result, part)},
            {"documents", part.documents},
            {"text_bytes", part.bytes},
            {"given_documents", part.given_documents},
            {"given_text_bytes", part.given_bytes}};
  if (result.has_tokens) {
    j["tokens"] = part.tokens;
    j["given_tokens"] = part.given_tokens;
  }
  return j;
}

}  // namespace

std::vector<std::string> mix_headings(const MixResult& result) {
  std::vector<std::string> headings = {"Dataset", "asked",     "Sampling prop.",
                                       "Epochs",  "Disk size", "Documents"};
  headings.emplace_back("Text");
  if (result.has_tokens) headings.emplace_back("Tokens");
  return headings;
}

std::vector<std::vector<std::string>> mix_rows(const MixResult& result) {
  const double total = total_given(result);
  std::vector<std::vector<std::string>> rows;
  MixPart all;
  uint64_t stored = 0;
  const auto add = [&](const Line& line, bool has_epochs) {
    const MixPart& part = line.part;
    rows.push_back({shown(line.name), percent(line.asked),
                    percent(total > 0 ? given(result, part) / total : 0),
                    has_epochs ? formatted("%.2f", epochs(result, part)) : "",
                    line.stored_bytes > 0 ? human_bytes(static_cast<double>(line.stored_bytes))
                                          : std::string(),
                    concat(part.given_documents),
                    human_bytes(static_cast<double>(part.given_bytes))});
    if (result.has_tokens) {
      rows.back().push_back(human_count(static_cast<double>(part.given_tokens)));
    }
  };
  for (const Line& line : lines_of(result)) add(line, true);
  for (const MixResult::Source& source : result.sources) {
    const MixPart sum = source.sum();
    stored += source.stored_bytes;
    all.given_documents += sum.given_documents;
    all.given_bytes += sum.given_bytes;
    all.given_tokens += sum.given_tokens;
  }
  add({"all", 1, stored, all}, false);
  return rows;
}

std::string mix_table(const MixResult& result) {
  std::vector<std::vector<std::string>> rows = mix_rows(result);
  rows.insert(rows.begin(), mix_headings(result));
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      text += i == 0 ? row[i] + space : "  " + space + row[i];
    }
    text += "\n";
  }
  return text;
}

std::string mix_json(const MixResult& result) {
  const double total = total_given(result);
  json sources = json::array();
  for (const MixResult::Source& source : result.sources) {
    const MixPart sum = source.sum();
    json j = {{"name", source.name}, {"stored_bytes", source.stored_bytes}};
    j.update(part_json(result, sum, source.asked, total));
    json parts = json::array();
    for (const MixPart& part : source.parts) {
      if (part.value.empty()) continue;
      parts.push_back(part_json(result, part, source.asked * part.wanted / sum.wanted, total));
      parts.back()["value"] = part.value;
    }
    if (!parts.empty()) j["parts"] = parts;
    sources.push_back(j);
  }
  return json({{"unit", result.unit == MixUnit::kTokens ? "tokens" : "bytes"},
               {"empty_documents", result.empty_documents},
               {"bad_records", result.bad_records},
               {"sources", sources}})
             .dump(2) +
         "\n";
}

}  // namespace llmtool
