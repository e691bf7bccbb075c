// The memory of a device and the queue of work on it. What lies on a GPU is reached only through
// these functions and the operations of kernels/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/device.h"
#include "lib/base/stream.h"
#include "lib/base/threads.h"

namespace llmtool {

inline constexpr int64_t kMemoryAlignment = 256;  // bytes, of every allocation on every device

// The CPU, and CUDA where this build has its kernels and this machine a GPU and a driver for it.
std::vector<Device> available_devices();

// Opens the device's queue. On the CPU operations run at selected_isa() on pool, at once. On CUDA
// they run on the first GPU that CUDA_VISIBLE_DEVICES leaves, in the order in which they were
// issued. Throws Fault::kDevice, saying what is missing, if there is no such device.
// pool must outlive the stream.
Stream open_stream(Device device, ThreadPool& pool);

// Waits for the work and frees what open_stream took. Does nothing to a stream that is closed.
void close_stream(Stream& stream) noexcept;

// The PCI bus id of a CUDA stream's GPU, as NVML knows it ("0000:01:00.0"); empty on the CPU.
std::string bus_id(const Stream& stream);

// Waits until everything issued to the stream is done; throws Fault::kDevice if any of it failed.
void synchronize(Stream& stream);

// Zeroed memory, aligned to kMemoryAlignment. Throws Fault::kFailed with the size if there is none.
// bytes = 0 gives a pointer that may be freed. CUDA: a stream must have been opened before.
void* allocate_memory(Device device, int64_t bytes);
void free_memory(Device device, void* memory) noexcept;

// In the order of the stream. When it returns, memory of the host that it names has been read or
// written; copies within a GPU may still be under way.
void copy_memory(void* to, Device to_device, const void* from, Device from_device, int64_t bytes,
                 Stream& stream);

// In the order of the stream.
void zero_memory(void* memory, Device device, int64_t bytes, Stream& stream);

}  // namespace llmtool
