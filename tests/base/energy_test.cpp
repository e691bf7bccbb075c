#include "lib/base/energy.h"

#include <chrono>
#include <doctest/doctest.h>
#include <thread>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

// A made sysfs: zones as Linux lays them out.
struct Powercap {
  ScratchFolder folder;

  void zone(const std::string& name, const std::string& what, uint64_t energy,
            uint64_t range) const {
    create_folder(folder.path() / name);
    write_file(folder.path() / name / "name", what + "\n");
    write_file(folder.path() / name / "max_energy_range_uj", concat(range, "\n"));
    set(name, energy);
  }
  void set(const std::string& name, uint64_t energy) const {
    write_file(folder.path() / name / "energy_uj", concat(energy, "\n"));
  }
  EnergySources sources() const { return {.powercap = folder.path(), .gpu_bus_id = {}}; }
};

constexpr uint64_t kRange = 262143328850;

}  // namespace

TEST_CASE("energy: packages are added up, each once, and counters wrap") {
  const Powercap sys;
  sys.zone("intel-rapl:0", "package-0", 1'000'000, kRange);
  sys.zone("intel-rapl:0:0", "core", 5, kRange);
  sys.zone("intel-rapl:1", "package-1", kRange - 2'000'000, kRange);
  sys.zone("intel-rapl-mmio:0", "package-0", 7'000'000, kRange);
  sys.zone("dtpm", "dtpm", 1, kRange);
  EnergyMeter meter(sys.sources());
  CHECK(meter.source() == "RAPL, 2 packages");
  CHECK(meter.joules() == 0);
  sys.set("intel-rapl:0", 4'500'000);
  sys.set("intel-rapl:0:0", 9'000'000);
  sys.set("intel-rapl-mmio:0", 90'000'000);
  CHECK(meter.joules() == doctest::Approx(3.5));
  sys.set("intel-rapl:1", 500'000);  // 2 J to the end of its range, and half a joule
  CHECK(meter.joules() == doctest::Approx(6));
  CHECK(meter.joules() == doctest::Approx(6));
}

TEST_CASE("energy: a counter that is no number, or goes away, stands still") {
  const Powercap sys;
  sys.zone("intel-rapl:0", "package-0", 1'000'000, kRange);
  sys.zone("intel-rapl:1", "package-1", 0, kRange);
  write_file(sys.folder.path() / "intel-rapl:1" / "energy_uj", "n/a\n");
  EnergyMeter meter(sys.sources());
  CHECK(meter.source() == "RAPL, 1 package");
  sys.set("intel-rapl:0", 3'000'000);
  CHECK(meter.joules() == doctest::Approx(2));
  fs::remove(sys.folder.path() / "intel-rapl:0" / "energy_uj");
  CHECK(meter.joules() == doctest::Approx(2));
  sys.set("intel-rapl:0", 4'000'000);
  CHECK(meter.joules() == doctest::Approx(3));
}

TEST_CASE("energy: nothing to read is no source") {
  const ScratchFolder empty;
  EnergyMeter meter({.powercap = empty.path() / "none", .gpu_bus_id = {}});
  CHECK(meter.source().empty());
  CHECK(meter.joules() == 0);
  EnergyMeter gpu({.powercap = empty.path(), .gpu_bus_id = "00000000:ff:1f.7"});
  CHECK(gpu.source().empty());
  CHECK(gpu.joules() == 0);
}

TEST_CASE("energy: a stated power counts the time, whatever can be read") {
  const Powercap sys;
  sys.zone("intel-rapl:0", "package-0", 0, kRange);
  EnergySources sources = sys.sources();
  sources.stated_watts = 1000;
  EnergyMeter meter(sources);
  CHECK(meter.source() == "stated 1000 W");
  const auto start = std::chrono::steady_clock::now();
  sys.set("intel-rapl:0", 5'000'000'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double joules = meter.joules();
  const std::chrono::duration<double> most = std::chrono::steady_clock::now() - start;
  CHECK(joules >= 20);
  CHECK(joules <= 1000 * most.count() + 20);
}
