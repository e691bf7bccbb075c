#include "lib/base/energy.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <dlfcn.h>
#include <fstream>
#include <set>
#include <vector>

#include "lib/base/error.h"

namespace llmtool {
namespace {

using Clock = std::chrono::steady_clock;

// The first line of a file of sysfs; empty if it cannot be read.
std::string line_of(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool read_number(const fs::path& path, uint64_t& value) {
  const std::string text = line_of(path);
  const char* end = text.data() + text.size();
  const auto r = std::from_chars(text.data(), end, value);
  return r.ec == std::errc() && r.ptr == end;
}

// One counter of microjoules, which goes from `range` back to 0.
struct Zone {
  fs::path counter;
  uint64_t range = 0, last = 0;

  // What was added since the last call.
  double advance() {
    uint64_t now = 0;
    if (!read_number(counter, now)) return 0;
    const uint64_t added = now >= last ? now - last : range - std::min(last, range) + now;
    last = now;
    return static_cast<double>(added) * 1e-6;
  }
};

// The same package may be there twice, through its registers and, second choice, through memory
// (intel-rapl-mmio).
std::vector<Zone> packages(const fs::path& powercap) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(powercap, error)) folders.push_back(entry.path());
  std::ranges::sort(folders, {}, [](const fs::path& folder) {
    const std::string name = folder.filename().string();
    return std::pair(name.find("mmio") != std::string::npos, name);
  });
  std::vector<Zone> zones;
  std::set<std::string> seen;
  for (const fs::path& folder : folders) {
    const std::string name = line_of(folder / "name");
    Zone zone{folder / "energy_uj"};
    if (name.starts_with("package") && read_number(zone.counter, zone.last) &&
        read_number(folder / "max_energy_range_uj", zone.range) && seen.insert(name).second) {
      zones.push_back(zone);
    }
  }
  return zones;
}

// The energy counter of one GPU (Volta and newer), in millijoules since the driver was loaded.
class GpuCounter {
 public:
  explicit GpuCounter(const std::string& bus_id) {
    library_ = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) return;
    const auto initialise = function<int (*)()>("nvmlInit_v2");
    const auto find = function<int (*)(const char*, void**)>("nvmlDeviceGetHandleByPciBusId_v2");
    energy_ = function<Energy>("nvmlDeviceGetTotalEnergyConsumption");
    works_ = initialise != nullptr && find != nullptr && energy_ != nullptr && initialise() == 0 &&
             find(bus_id.c_str(), &device_) == 0 && read(last_);
  }
  ~GpuCounter() {
    if (library_ == nullptr) return;
    if (const auto shut_down = function<int (*)()>("nvmlShutdown");
        works_ && shut_down != nullptr) {
      shut_down();
    }
    dlclose(library_);
  }
  GpuCounter(const GpuCounter&) = delete;
  GpuCounter& operator=(const GpuCounter&) = delete;

  bool works() const { return works_; }

  double advance() {
    unsigned long long now = 0;
    if (!read(now)) return 0;
    const double added = now >= last_ ? static_cast<double>(now - last_) * 1e-3 : 0;
    last_ = now;
    return added;
  }

 private:
  using Energy = int (*)(void* device, unsigned long long* millijoules);

  template <class F>
  F function(const char* name) const {
    return reinterpret_cast<F>(dlsym(library_, name));
  }
  bool read(unsigned long long& value) const { return energy_(device_, &value) == 0; }

  void* library_ = nullptr;
  void* device_ = nullptr;
  Energy energy_ = nullptr;
  unsigned long long last_ = 0;
  bool works_ = false;
};

}  // namespace

struct EnergyMeter::State {
  double stated_watts = 0;
  Clock::time_point start = Clock::now();
  std::vector<Zone> zones;
  std::unique_ptr<GpuCounter> gpu;
  double joules = 0;
  std::string source;

  explicit State(const EnergySources& from) : stated_watts(from.stated_watts) {
    if (stated_watts > 0) {
      source = concat("stated ", stated_watts, " W");
      return;
    }
    if (!from.gpu_bus_id.empty()) {
      gpu = std::make_unique<GpuCounter>(from.gpu_bus_id);
      if (!gpu->works()) return;
    }
    zones = packages(from.powercap);
    if (!zones.empty()) {
      source = concat("RAPL, ", zones.size(), zones.size() == 1 ? " package" : " packages");
    }
    if (gpu) source += source.empty() ? "NVML, without the CPU" : "; NVML";
  }
};

EnergyMeter::EnergyMeter(const EnergySources& sources) : state_(new State(sources)) {}
EnergyMeter::~EnergyMeter() = default;

const std::string& EnergyMeter::source() const {
  return state_->source;
}

double EnergyMeter::joules() {
  State& s = *state_;
  if (s.stated_watts > 0) {
    return s.stated_watts * std::chrono::duration<double>(Clock::now() - s.start).count();
  }
  for (Zone& zone : s.zones) s.joules += zone.advance();
  if (s.gpu && s.gpu->works()) s.joules += s.gpu->advance();
  return s.joules;
}

}  // namespace llmtool
