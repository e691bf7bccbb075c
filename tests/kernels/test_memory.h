// Devices to test on, and memory there.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/device.h"
#include "lib/base/stream.h"

namespace llmtool::test {

// One place to run an operation: a device and, on the CPU, a level of instructions.
struct Lane {
  Device device = Device::kCpu;
  Isa isa = Isa::kNone;
};

// Each device present at each of its levels.
std::vector<Lane> available_lanes();

std::string name_of(const Lane& lane);

// A stream on a lane; pools of each size are kept for the whole run of the tests.
Stream stream_on(const Lane& lane, int threads);

// Memory on the device of a stream, aligned to 64 bytes, with the given content.
class TestMemory {
 public:
  TestMemory(const std::vector<uint8_t>& content, Stream& stream);
  uint8_t* data() const { return data_.get(); }
  // The content after all work that was queued on the stream.
  std::vector<uint8_t> read(Stream& stream) const;

 private:
  struct Free {
    Device device;
    void operator()(uint8_t* p) const;
  };
  size_t size_;
  std::unique_ptr<uint8_t, Free> data_;
};

}  // namespace llmtool::test
