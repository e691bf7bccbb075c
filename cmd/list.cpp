#include "cmd/list.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/format.h"
#include "lib/base/op.h"
#include "lib/model/model.h"
#include "lib/train/schedule.h"

namespace llmtool {
namespace {

struct Options {
  std::string what;
  bool json = false;
};

// One row an operation: for the CPU the levels that have kernels of their own, and whether CUDA has
// one.
Listing::Rows list_ops() {
  Listing::Rows rows;
  for (const KernelEntry& kernel : registered_kernels()) {
    if (rows.empty() || rows.back()[0] != kernel.op) rows.push_back({kernel.op, "", "no"});
    std::vector<std::string>& row = rows.back();
    if (kernel.device == Device::kCuda) row[2] = "yes";
    if (kernel.device != Device::kCpu) continue;
    const std::string levels(name_of(kernel.isa));
    row[1] = row[1].empty() ? levels : levels + " " + row[1];
  }
  return rows;
}

Listing::Rows list_commands() {
  Listing::Rows rows;
  for (const Command& command : commands_in_order())
    rows.push_back({command.name, command.summary});
  return rows;
}

Listing::Rows list_formats() {
  Listing::Rows rows;
  for (const Format& f : Catalog<Format>::all()) {
    rows.push_back({f.name, f.endings, f.use, f.summary});
  }
  return rows;
}

// Of a catalog whose entries have a name and a summary.
template <class T>
Listing::Rows list_catalog() {
  Listing::Rows rows;
  for (const T& entry : Catalog<T>::all()) rows.push_back({entry.name, entry.summary});
  return rows;
}

std::string as_json(const Listing& listing, const Listing::Rows& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    nlohmann::ordered_json item;
    for (size_t i = 0; i < row.size(); ++i) item[listing.columns[i]] = row[i];
    list.push_back(std::move(item));
  }
  return list.dump(2) + "\n";
}

std::string as_table(const Listing& listing, Listing::Rows rows) {
  rows.insert(rows.begin(), listing.columns);
  std::vector<size_t> widths(listing.columns.size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] + 2 - row[i].size(), ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

void run(const Options& o) {
  const Listing& listing = Catalog<Listing>::find("listing", o.what);
  const Listing::Rows rows = listing.rows();
  write_stdout(o.json ? as_json(listing, rows) : as_table(listing, rows));
}

void define_list(CLI::App& app) {
  auto o = std::make_shared<Options>();
  std::vector<std::string> names;
  std::string footer;
  for (const Listing& listing : Catalog<Listing>::all()) {
    names.push_back(listing.name);
    footer += "  " + listing.name +
              std::string(12 - std::min<size_t>(11, listing.name.size()), ' ') + listing.summary +
              "\n";
  }
  app.add_option("what", o->what, "Which catalog")->required()->check(CLI::IsMember(names));
  add_json(app, o->json);
  app.footer("Catalogs:\n" + footer + "\nExample:\n  llmtool list ops");
  app.callback([o] { run(*o); });
}

const Register<Listing> ops{{"ops",
                             "Operations and the devices that have kernels for them",
                             {"op", "cpu", "cuda"},
                             list_ops}};
const Register<Listing> commands{
    {"commands", "Commands in the order of the work", {"command", "summary"}, list_commands}};
const Register<Listing> formats{{"formats",
                                 "File formats that are read and written",
                                 {"format", "endings", "use", "summary"},
                                 list_formats}};
const Register<Listing> models{
    {"models", "Model families", {"model", "summary"}, list_catalog<ModelFamily>}};
const Register<Listing> schedules{
    {"schedules", "Learning rate schedules", {"schedule", "summary"}, list_catalog<Schedule>}};
const Register<Command> list{
    {"list", "List the operations, commands and other catalogs", 91, define_list}};

}  // namespace
}  // namespace llmtool
