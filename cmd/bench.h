// What the commands of `llmtool bench` share: how they run, what the peaks look like, what peers
// are.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/flags.h"
#include "lib/base/file.h"
#include "lib/base/formatted.h"
#include "lib/base/machine.h"
#include "lib/train/peaks.h"

namespace llmtool {

struct BenchOptions {
  int threads = 0, rounds = 5;
  int64_t memory_mib = 256;
  std::string peers;  // file
  bool json = false;

  int64_t memory_bytes() const { return memory_mib << 20; }
};

// --rounds, --memory-mib, --threads, --json
void add_bench_flags(CLI::App& app, BenchOptions& o);
void add_peers(CLI::App& app, BenchOptions& o);

// printf to standard output.
template <class... P>
void print(const char* format, P... values) {
  write_stdout(formatted(format, values...));
}

std::string setting_text(const Stream& s);  // "avx512, 2 threads, <CPU>"
void print_peaks(const Peaks& peaks);

// "GFLOP/s GB/s % of its ceiling": the header, and a line of it.
inline constexpr const char* kRatesHeader = "  GFLOP/s     GB/s  of ceiling";
std::string rates_text(const Cost& cost, double seconds, const Peaks& peaks);

// The same for JSON objects.
std::vector<std::pair<std::string, double>> peak_figures(const Peaks& peaks);

template <class Json>
void add_setting(Json& object, const Stream& s, const Peaks& peaks) {
  object["isa"] = name_of(s.isa);
  object["threads"] = s.threads();
  object["cpu"] = cpu_model();
  for (const auto& [key, value] : peak_figures(peaks)) object["peaks"][key] = value;
}

template <class Json>
void add_rates(Json& object, const Cost& cost, double seconds, const Peaks& peaks) {
  object["flops_per_second"] = cost.flops / seconds;
  object["bytes_per_second"] = cost.bytes() / seconds;
  object["ceiling_share"] = peaks.seconds(cost) / seconds;
  object["bound_by"] = peaks.bound_by_memory(cost) ? "memory" : "flops";
}

// What others need for the same work: seconds by name of the case, by name of the peer.
//   {"oneDNN 2.6.3": {"135M qkv forward bf16 512x576x960": 0.0021}}
using Peers = std::map<std::string, std::map<std::string, double>>;
// Throws Fault::kInput, saying where, for a file that is not of this form; empty for no file.
Peers read_peers(const std::string& path);

}  // namespace llmtool
