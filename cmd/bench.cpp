#include "cmd/bench.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

struct Figure {
  const char* name;  // for people
  const char* key;
  double Peaks::*value;
  const char* unit;
};

constexpr Figure kFigures[] = {
    {"f32 multiply-add", "f32_flops_per_second", &Peaks::f32, "GFLOP/s"},
    {"bf16 VDPBF16PS", "bf16_dot_flops_per_second", &Peaks::bf16_dot, "GFLOP/s"},
    {"bf16 AMX TDPBF16PS", "bf16_tile_flops_per_second", &Peaks::bf16_tile, "GFLOP/s"},
    {"int8 VPDPBUSD", "int8_dot_operations_per_second", &Peaks::int8_dot, "GOP/s"},
    {"int8 AMX TDPBSSD", "int8_tile_operations_per_second", &Peaks::int8_tile, "GOP/s"},
    {"memory read", "read_bytes_per_second", &Peaks::read, "GB/s"},
    {"memory update", "update_bytes_per_second", &Peaks::update, "GB/s"},
};

}  // namespace

void add_bench_flags(CLI::App& app, BenchOptions& o) {
  app.add_option("--rounds", o.rounds, "Timings of each figure; the median is reported")
      ->check(CLI::Range(1, 1000));
  app.add_option("--memory-mib", o.memory_mib,
                 "MiB that figures of memory walk over: more than the caches hold")
      ->check(CLI::Range(1, 1 << 20));
  add_threads(app, o.threads);
  add_json(app, o.json);
}

void add_peers(CLI::App& app, BenchOptions& o) {
  app.add_option("--peers", o.peers,
                 "JSON with the seconds of others for these cases: {peer: {case: seconds}}")
      ->type_name("FILE");
}

std::string setting_text(const Stream& s) {
  return concat(name_of(s.isa), ", ", s.threads(), s.threads() == 1 ? " thread" : " threads", ", ",
                cpu_model());
}

std::vector<std::pair<std::string, double>> peak_figures(const Peaks& peaks) {
  std::vector<std::pair<std::string, double>> figures;
  for (const Figure& f : kFigures) {
    if (peaks.*f.value > 0) figures.emplace_back(f.key, peaks.*f.value);
  }
  return figures;
}

void print_peaks(const Peaks& peaks) {
  for (const Figure& f : kFigures) {
    if (peaks.*f.value > 0) print("%-20s %9.1f %s\n", f.name, peaks.*f.value * 1e-9, f.unit);
  }
}

std::string rates_text(const Cost& cost, double seconds, const Peaks& peaks) {
  return formatted("%9.1f %8.1f  %5.1f%% %s", cost.flops / seconds * 1e-9,
                   cost.bytes() / seconds * 1e-9, 100 * peaks.seconds(cost) / seconds,
                   peaks.bound_by_memory(cost) ? "mem " : "flop");
}

Peers read_peers(const std::string& path) {
  Peers peers;
  if (path.empty()) return peers;
  constexpr const char* kForm = "expected {\"peer\": {\"case\": seconds, ...}, ...}";
  nlohmann::json j;
  try {
    j = nlohmann::json::parse(read_file(path));
  } catch (const nlohmann::json::parse_error& e) {
    fail(Fault::kInput, concat(path, ": byte ", e.byte, " is not JSON"), kForm);
  }
  check(j.is_object(), Fault::kInput, path, ": ", kForm);
  for (const auto& [peer, cases] : j.items()) {
    check(cases.is_object(), Fault::kInput, path, ": '", peer, "' is no object: ", kForm);
    for (const auto& [name, seconds] : cases.items()) {
      check(seconds.is_number() && seconds.get<double>() > 0, Fault::kInput, path, ": '", peer,
            "', '", name, "': ", seconds.dump(), " is no time in seconds");
      peers[peer][name] = seconds.get<double>();
    }
  }
  return peers;
}

}  // namespace llmtool
