#include "lib/report/table.h"

#include "lib/report/page.h"

namespace llmtool {
namespace {

std::string element(const char* name, const std::string& text) {
  return std::string("<") + name + ">" + escape_html(text) + "</" + name + ">";
}

}  // namespace

std::string facts_table(const Facts& facts) {
  std::string html = "<div class=\"wide\"><table class=\"facts\">\n";
  for (const auto& [name, value] : facts) {
    html += "<tr>" + element("th", name) + element("td", value) + "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string tiles(const Facts& facts) {
  std::string html = "<dl class=\"tiles\">\n";
  for (const auto& [name, value] : facts) {
    html += "<div>" + element("dt", name) + element("dd", value) + "</div>\n";
  }
  return html + "</dl>\n";
}

std::string grid_table(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"wide\"><table>\n<tr>";
  for (const std::string& heading : headings) html += element("th", heading);
  html += "</tr>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += element("td", cell);
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace llmtool
