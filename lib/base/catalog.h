// A catalog: named things that register themselves. Each leaf file ends with one object
//     const Register<Model> llama{{"llama", "Llama 1-3, SmolLM2 ...", make_llama}};
// and nothing central is edited. Names are unique. Listed by `llmtool list`.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "lib/base/error.h"

namespace llmtool {

// T has a member `name` convertible to std::string_view.
template <class T>
class Catalog {
 public:
  // In order of name.
  static const std::vector<T>& all() { return entries(); }

  // Throws Fault::kUsage naming what there is.
  static const T& find(std::string_view kind, std::string_view name) {
    std::string known;
    for (const T& entry : entries()) {
      if (entry.name == name) return entry;
      known += concat(known.empty() ? "" : ", ", entry.name);
    }
    fail(Fault::kUsage, concat("no ", kind, " is called '", name, "'"),
         concat("there is: ", known));
  }

  static void add(T entry) {
    auto& all = entries();
    const auto at = std::lower_bound(all.begin(), all.end(), entry, [](const T& a, const T& b) {
      return std::string_view(a.name) < std::string_view(b.name);
    });
    LLMTOOL_ASSERT(at == all.end() || at->name != entry.name);
    all.insert(at, std::move(entry));
  }

 private:
  static std::vector<T>& entries() {
    static std::vector<T> all;
    return all;
  }
};

template <class T>
struct Register {
  explicit Register(T entry) { Catalog<T>::add(std::move(entry)); }
};

}  // namespace llmtool
