// What memory.h does on CUDA: cuda_memory.cu, or cuda_memory_absent.cpp in a build without CUDA,
// whose functions throw Fault::kDevice. Contracts as in memory.h.
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/stream.h"

namespace llmtool::cuda {

bool available() noexcept;

void open(Stream& stream);  // sets handle and context
void close(Stream& stream) noexcept;
void synchronize(Stream& stream);

std::string bus_id();  // of the GPU that open() takes

void* allocate(int64_t bytes);
void free(void* memory) noexcept;

enum class Direction { kToGpu, kFromGpu, kWithinGpu };
void copy(void* to, const void* from, int64_t bytes, Direction direction, Stream& stream);
void zero(void* memory, int64_t bytes, Stream& stream);

}  // namespace llmtool::cuda
