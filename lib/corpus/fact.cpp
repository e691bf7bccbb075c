#include "lib/corpus/fact.h"

#include <nlohmann/json.hpp>

#include "lib/io/document.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

std::string key_of(const std::string& name) {
  std::string key;
  for (const char c : name) {
    const char lower = ascii_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      key += lower;
    } else if (!key.empty() && key.back() != '_') {
      key += '_';
    }
  }
  if (key.ends_with('_')) key.pop_back();
  return key;
}

}  // namespace

Fact fact(std::string name, std::string text) {
  std::string json = json_text(text);
  return {std::move(name), std::move(text), std::move(json), {}};
}

Fact fact(std::string name, double value, std::string text) {
  return {std::move(name), std::move(text), json_number(value), {}};
}

Fact fact_in(std::string group, Fact fact) {
  fact.group = std::move(group);
  return fact;
}

std::string facts_json(const std::vector<Fact>& facts) {
  auto all = nlohmann::ordered_json::object();
  for (const Fact& f : facts) {
    auto value = nlohmann::ordered_json::parse(f.json, nullptr, /*allow_exceptions=*/false);
    if (value.is_discarded()) value = f.text;  // of bytes that are no UTF-8: names of files
    if (f.group.empty()) {
      all[key_of(f.name)] = std::move(value);
    } else {
      all[key_of(f.group)][f.name] = std::move(value);
    }
  }
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace llmtool
