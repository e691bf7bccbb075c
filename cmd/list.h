// What `llmtool list` can show. A room's catalog is made known by one object in a file of cmd/:
//     const Register<Listing> models{{"models", "Model families", list_models}};
#pragma once

#include <string>
#include <vector>

#include "lib/base/catalog.h"

namespace llmtool {

struct Listing {
  using Rows = std::vector<std::vector<std::string>>;

  std::string name;
  std::string summary;
  std::vector<std::string> columns;
  Rows (*rows)() = nullptr;  // one text for each column
};

}  // namespace llmtool
