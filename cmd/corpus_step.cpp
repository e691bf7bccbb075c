#include "cmd/corpus_step.h"

#include <CLI/CLI.hpp>

#include "cmd/command.h"
#include "cmd/corpus_flow.h"
#include "cmd/list.h"

namespace llmtool {

RegisterStep::RegisterStep(const CorpusStep& step) {
  Catalog<CorpusStep>::add(step);
  const auto define = [step](CLI::App& app) {
    auto flow = std::make_shared<CorpusFlow>();
    flow->fallback_format = step.input_format;
    const StepMaker make = step.define(app);
    // A flag that may be repeated takes one value each time: inputs stand behind it.
    for (CLI::Option* option : app.get_options()) {
      if (!option->get_positional()) option->allow_extra_args(false);
    }
    add_corpus_flow(app, *flow, step.writes);
    app.callback([flow, make, &app] {
      std::vector<std::unique_ptr<Step>> steps;
      steps.push_back(make());
      run_corpus_flow(*flow, std::move(steps), step_settings(app), app);
    });
  };
  Catalog<Command>::add({step.name, step.summary, step.order, define});
}

namespace {

Listing::Rows list_steps() {
  Listing::Rows rows;
  for (const CorpusStep& step : Catalog<CorpusStep>::all()) {
    rows.push_back({step.name, step.summary});
  }
  return rows;
}

const Register<Listing> steps{
    {"steps", "Steps of `llmtool corpus run`", {"step", "summary"}, list_steps}};

}  // namespace
}  // namespace llmtool
