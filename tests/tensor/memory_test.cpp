#include "lib/tensor/memory.h"

#include <cstdint>
#include <doctest/doctest.h>
#include <numeric>
#include <vector>

#include "lib/base/error.h"

using namespace llmtool;

TEST_CASE("memory: every device gives zeroed, aligned memory that keeps what is copied into it") {
  ThreadPool pool(1);
  for (const Device device : available_devices()) {
    CAPTURE(name_of(device));
    Stream stream = open_stream(device, pool);
    for (const int64_t bytes : {1, 255, 256, 100000}) {
      CAPTURE(bytes);
      void* memory = allocate_memory(device, bytes);
      CHECK(reinterpret_cast<uintptr_t>(memory) % kMemoryAlignment == 0);
      std::vector<char> read(static_cast<size_t>(bytes), 'x'), wrote(read.size());
      copy_memory(read.data(), Device::kCpu, memory, device, bytes, stream);
      CHECK(read == std::vector<char>(read.size(), 0));

      std::iota(wrote.begin(), wrote.end(), char{1});
      void* other = allocate_memory(device, bytes);
      copy_memory(memory, device, wrote.data(), Device::kCpu, bytes, stream);
      copy_memory(other, device, memory, device, bytes, stream);
      zero_memory(memory, device, bytes, stream);
      copy_memory(read.data(), Device::kCpu, other, device, bytes, stream);
      CHECK(read == wrote);
      copy_memory(read.data(), Device::kCpu, memory, device, bytes, stream);
      CHECK(read == std::vector<char>(read.size(), 0));
      free_memory(device, other);
      free_memory(device, memory);
    }
    synchronize(stream);
    close_stream(stream);
    close_stream(stream);
  }
}

TEST_CASE("memory: too much is a failure that names the size") {
  ThreadPool pool(1);
  for (const Device device : available_devices()) {
    CAPTURE(name_of(device));
    Stream stream = open_stream(device, pool);
    try {
      free_memory(device, allocate_memory(device, int64_t{1} << 56));
      FAIL("2^56 bytes were handed out");
    } catch (const Error& e) {
      CHECK(e.fault() == Fault::kFailed);
      CHECK(std::string(e.what()).find("72057594037927936") != std::string::npos);
    }
    close_stream(stream);
  }
}

TEST_CASE("memory: no stream opens on a device that is not there") {
  if (available_devices().size() > 1) return;
  ThreadPool pool(1);
  try {
    open_stream(Device::kCuda, pool);
    FAIL("a CUDA stream was opened");
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kDevice);
    CHECK(!e.hint().empty());
  }
}
