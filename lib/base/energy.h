// Energy that the machine has used, from its own counters or from a power that somebody states.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/file.h"

namespace llmtool {

struct EnergySources {
  // Where Linux shows RAPL's counters (Documentation/power/powercap): the zones called package-*
  // are added up. energy_uj is readable by root alone on most systems.
  fs::path powercap = "/sys/class/powercap";
  // Of an NVIDIA GPU, e.g. "00000000:01:00.0", whose counter NVML reads; empty: none. The library
  // is opened at run time.
  std::string gpu_bus_id;
  // > 0: this power at all times, and no counter is read.
  double stated_watts = 0;
};

class EnergyMeter {
 public:
  explicit EnergyMeter(const EnergySources& sources);
  ~EnergyMeter();
  EnergyMeter(const EnergyMeter&) = delete;
  EnergyMeter& operator=(const EnergyMeter&) = delete;

  // What is metered: "RAPL, 2 packages", "RAPL, 1 package; NVML", "stated 400 W"; empty if nothing
  // is. A GPU whose counter cannot be read leaves nothing: the CPU's share would pass for all.
  const std::string& source() const;
  // Since construction; 0 if nothing is metered. To be called more often than a counter wraps
  // (RAPL: after minutes at the least). A counter that can no longer be read stands still.
  double joules();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmtool
