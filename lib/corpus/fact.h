// What a step says of itself at its end: its settings and its counts.
#pragma once

#include <concepts>
#include <string>
#include <vector>

namespace llmtool {

struct Fact {
  std::string name;   // "words a document"
  std::string text;   // for people: "959.3"
  std::string json;   // for programs: the value, as JSON
  std::string group;  // in JSON, the object it stands in: "domains"; empty: none
};

Fact fact(std::string name, std::string text);
Fact fact(std::string name, double value, std::string text);
template <std::integral T>
Fact fact(std::string name, T count) {
  std::string digits = std::to_string(count);
  return {std::move(name), digits, digits, {}};
}
// Its name in JSON is the member's own, as it stands: {"domains": {"example.org": 12}}.
Fact fact_in(std::string group, Fact fact);

// An object of all of them, by key: the name in lower case, with '_' for what is no letter or
// digit.
std::string facts_json(const std::vector<Fact>& facts);

}  // namespace llmtool
