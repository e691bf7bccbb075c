#include "lib/train/run_log.h"

#include <doctest/doctest.h>

#include "lib/train/run_report.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

constexpr const char* kSettings =
    R"({"steps":100,"flops_per_token":1e6,"peak_flops_per_second":1e9,"peak_source":"stated",)"
    R"("energy_source":"stated 1000 W","pue":1.5,"carbon_intensity":0.4,)"
    R"("training":{"lr":"<script>"},"data":{"train":"a\"b"}})";

EnergySources watts(double w) {
  return {.powercap = "/none", .gpu_bus_id = {}, .stated_watts = w};
}

RunLog::Numbers step_numbers(int64_t step) {
  return {{"loss", 1.0 / static_cast<double>(step)},
          {"tokens", static_cast<double>(100 * step)},
          {"seconds", 0.5},
          {"tokens_per_second", 200},
          {"data_wait", 0.1}};
}

std::string report_of(const fs::path& run) {
  return run_report(read_history(run), report_name(run));
}

// The steps of the events with a summary in the one event file of a run.
std::vector<int64_t> event_steps(const fs::path& run) {
  std::vector<fs::path> files;
  for (const auto& e : fs::directory_iterator(run / "tensorboard")) files.push_back(e.path());
  REQUIRE(files.size() == 1);
  const std::string bytes = read_file(files[0]);
  std::vector<int64_t> steps;
  for (size_t at = 0; at < bytes.size();) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes.at(i)); };
    const size_t length = byte(at) + 256U * byte(at + 1);
    // wall_time has 9 bytes, then the step (below 128 here), then what it is.
    if (byte(at + 12 + 9) == 0x10 && byte(at + 12 + 11) == 0x2a) steps.push_back(byte(at + 22));
    at += 16 + length;
  }
  return steps;
}

}  // namespace

TEST_CASE("run_log: the page that training wrote is the one that the lines give again") {
  const ScratchFolder folder;
  EnergyMeter meter(watts(1000));
  RunLog log({.run = folder.path(), .settings = kSettings, .detail = {}}, meter);
  for (int64_t step = 1; step <= 20; ++step) {
    log.write_step(step, step_numbers(step));
    if (step % 10 != 0) continue;
    log.write(step, {{"validation_loss", 2.5}});
    log.write_sample(step, "</pre><script>alert(1)</script>\xff");
    log.write_event(step, "checkpoint");
  }
  log.write_event(20, "interrupted");
  log.write_report();
  const std::string page = read_file(folder.path() / "report.html");
  CHECK(page == report_of(folder.path()));
  CHECK(page.find("alert(1)</script>") == page.npos);
  CHECK(page.find("&lt;script&gt;alert(1)") != page.npos);
  CHECK(page.find("stopped; --resume goes on") != page.npos);
  const TrainResult& r = log.result();
  CHECK(r.interrupted);
  CHECK(r.steps == 20);
  CHECK(r.tokens == 2000);
  CHECK(r.loss == 0.05);
  CHECK(r.validation_loss == 2.5);
  CHECK(r.seconds == 10);
  CHECK(r.tokens_per_second == 200);
  CHECK(r.data_wait == doctest::Approx(0.1));
  CHECK(r.mfu() == doctest::Approx(0.2));
  CHECK(r.peak_memory_bytes >= r.memory_bytes);
  CHECK(r.memory_bytes > 1 << 20);
}

TEST_CASE("run_log: energy and carbon by LLaMA's formula") {
  TrainResult r;
  r.energy_joules = 82432.0 * 3600 * 400;  // LLaMA 7B: 82,432 hours of 400 W
  r.pue = 1.1;
  CHECK(r.watt_hours() * 1e-6 == doctest::Approx(36.27));               // MWh; the paper says 36
  CHECK(r.carbon_kg() * 1e-3 == doctest::Approx(13.96).epsilon(1e-3));  // t; the paper says 14
}

TEST_CASE("run_log: a run that goes on drops later steps and keeps what they cost") {
  const ScratchFolder folder;
  const fs::path metrics = folder.path() / "metrics.jsonl";
  EnergyMeter meter(watts(1000));
  {
    RunLog log({.run = folder.path(), .settings = kSettings, .detail = {}}, meter);
    for (int64_t step = 1; step <= 20; ++step) log.write_step(step, step_numbers(step));
    log.write(10, {{"validation_loss", 2.5}});
  }
  // As if the run had taken longer, and a last line was cut off by a kill.
  MetricsLine late;
  late.step = 20;
  late.numbers = {{"wall_seconds", 3600}, {"energy_joules", 3.6e6}, {"energy_seconds", 3600}};
  write_file(metrics, read_file(metrics) + late.json() + "\n{\"step\":21,\"loss\":");
  {
    RunLog log({.run = folder.path(),
                .step = 10,
                .tokens = 1000,
                .keep_totals = true,
                .settings = kSettings,
                .detail = "more"},
               meter);
    CHECK(log.was_written("validation_loss"));
    CHECK(!log.was_written("sample"));
    CHECK(log.result().loss == 0.1);
    CHECK(log.result().wall_seconds >= 3600);
    CHECK(log.result().seconds == 0);
    std::vector<int64_t> expected;
    for (int64_t step = 1; step <= 10; ++step) expected.push_back(step);
    expected.push_back(10);  // the validation
    CHECK(event_steps(folder.path()) == expected);
    log.write_step(11, step_numbers(11));
    expected.push_back(11);
    CHECK(event_steps(folder.path()) == expected);
    CHECK(log.result().energy_joules >= 3.6e6);
    CHECK(log.result().energy_joules < 3.7e6);
    CHECK(log.result().watt_hours() == doctest::Approx(1500).epsilon(0.01));
    CHECK(log.result().tokens_per_second == 200);
  }
  const std::string lines = read_file(metrics);
  CHECK(lines.find("\"step\":20") == lines.npos);
  CHECK(lines.find("{\"step\":10,\"event\":\"resume\",\"detail\":\"more\"") != lines.npos);
  // Without a source the energy of before stays, and the page says for how long it is known.
  EnergyMeter none(watts(0));
  RunLog log({.run = folder.path(),
              .step = 11,
              .tokens = 1100,
              .keep_totals = true,
              .settings = kSettings,
              .detail = {}},
             none);
  CHECK(log.result().energy_joules >= 3.6e6);
  // A new run in the folder owes nothing to what was there.
  RunLog fresh({.run = folder.path(), .settings = kSettings, .detail = {}}, none);
  CHECK(fresh.result().wall_seconds < 10);
  CHECK(fresh.result().energy_seconds == 0);
  CHECK(event_steps(folder.path()).empty());
}

TEST_CASE("run_report: lines that nest without end, numbers beyond all measure, long names") {
  const ScratchFolder folder;
  const std::string deep(100'000, '['), end(100'000, ']'), name(10'000, 'n');
  std::string lines = "{\"step\":1,\"loss\":" + deep + end + "}\n";
  lines +=
      "{\"step\":1,\"event\":\"start\",\"settings\":{\"training\":{\"x\":" + deep + end + "}}}\n";
  lines +=
      R"({"step":2,"event":"start","settings":{"steps":1e300,"pue":1e308,"flops_per_token":-1e300,)"
      R"("training":{")" +
      name +
      R"(":1}},"time":1e300})"
      "\n";
  lines += R"({"step":3,"event":")" + name +
           R"("})"
           "\n";
  lines += R"({"step":4,"loss":2,"seconds":1,"tokens_per_second":8})"
           "\n";
  for (const char* number : {"1e308", "-1e308", "4611686018427387904", "18446744073709551615"}) {
    lines += "{\"step\":5";
    for (const char* key : {"loss", "validation_loss", "lr", "grad_norm", "tokens", "seconds",
                            "tokens_per_second", "mfu", "memory_bytes", "peak_memory_bytes",
                            "data_wait", "wall_seconds", "energy_joules", "energy_seconds"}) {
      lines += std::string(",\"") + key + "\":" + number;
    }
    lines += "}\n";
  }
  lines += "{\"step\":9223372036854770000,\"loss\":1}\n{\"step\":9223372036854772048,\"loss\":2}\n";
  write_file(folder.path() / "metrics.jsonl", lines);
  const RunHistory history = read_history(folder.path());
  const TrainResult& r = history.result();
  CHECK(r.steps == 5);
  CHECK(r.steps_wanted == 0);
  CHECK(r.loss == 2);
  CHECK(r.tokens_per_second == 8);
  CHECK(r.pue == TrainResult().pue);
  CHECK(r.flops_per_token == 0);
  CHECK(history.curve("loss").buckets().size() == 1);
  CHECK(history.curve("validation_loss").empty());
  const std::string page = run_report(history, "x");
  CHECK(page.find(std::string(200, 'n')) == page.npos);
  CHECK(page.find(std::string(100, 'n') + "...") != page.npos);
  // The same lines, when a run goes on with them.
  EnergyMeter none(watts(0));
  RunLog log(
      {.run = folder.path(), .step = 5, .keep_totals = true, .settings = kSettings, .detail = {}},
      none);
  CHECK(log.result().wall_seconds < 10);
}

TEST_CASE("run_report: a million steps and hostile settings are a small page") {
  RunHistory history;
  MetricsLine start;
  start.texts = {{"event", "start"}};
  start.settings = R"({"steps":"x","pue":null,"training":{"<b>":"<i>"},"model":[1]})";
  history.add(start);
  MetricsLine line;
  for (line.step = 1; line.step <= 1'000'000; ++line.step) {
    const double x = static_cast<double>(line.step);
    line.numbers = {{"loss", 3 + 1 / x},        {"lr", 1e-3 / x}, {"grad_norm", 1 + 1 / x},
                    {"tokens_per_second", 1e4}, {"mfu", 0.5},     {"memory_bytes", 1e9}};
    history.add(line);
    if (line.step % 1000 != 0) continue;
    MetricsLine event;
    event.step = line.step;
    event.texts = {{"event", "checkpoint"}};
    history.add(event);
    event.texts = {{"sample", std::string(100'000, '<')}};
    history.add(event);
  }
  const std::string page = run_report(history, "a<b");
  CHECK(page.size() < 1'000'000);
  CHECK(page.find("<b>") == page.npos);
  CHECK(page.find("<i>") == page.npos);
  CHECK(page.find("988 samples are left out") != page.npos);
}
