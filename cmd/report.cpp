#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/flags.h"
#include "lib/base/log.h"
#include "lib/train/run_report.h"

namespace llmtool {
namespace {

struct Options {
  std::string run, output;
};

void run(const Options& o) {
  const fs::path output = o.output.empty() ? fs::path(o.run) / "report.html" : fs::path(o.output);
  const std::string page = run_report(read_history(o.run), report_name(o.run));
  o.output == "-" ? write_stdout(page) : write_file(output, page);
  if (o.output != "-") log_info(concat("wrote ", output.string()));
}

void define_report(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("run", o->run, "Folder that llmtool train wrote")->required()->type_name("DIR");
  add_output(app, o->output, "Where the page goes; - is stdout; unless given: report.html in DIR");
  app.footer(
      "The page is one file without links to the outside. Training writes it at every checkpoint;\n"
      "this makes it again from metrics.jsonl, also of a run that goes on or was killed.\n\n"
      "Example:\n  llmtool report runs/small");
  app.callback([o] { run(*o); });
}

const Register<Command> report{
    {"report", "Make the HTML report of a training run from its metrics", 89, define_report}};

}  // namespace
}  // namespace llmtool
