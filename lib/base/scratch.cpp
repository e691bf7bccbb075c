#include "lib/base/scratch.h"

#include <cstdlib>

#include "lib/base/error.h"

namespace llmtool {

struct Scratch::Block {
  std::unique_ptr<void, void (*)(void*)> data{nullptr, std::free};
  size_t size = 0;

  void* at_least(size_t bytes) {
    if (bytes > size) {
      constexpr size_t kAlignment = 64;
      const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
      data.reset();
      size = 0;
      data.reset(std::aligned_alloc(kAlignment, rounded));
      check(data != nullptr, Fault::kFailed, "out of memory: ", rounded, " bytes of work space");
      size = rounded;
    }
    return data.get();
  }
};

Scratch::Scratch(int threads) : blocks_(static_cast<size_t>(threads) + 1) {}
Scratch::~Scratch() = default;

void* Scratch::shared(size_t bytes) {
  return blocks_[0].at_least(bytes);
}

void* Scratch::of_thread(int thread, size_t bytes) {
  return blocks_[static_cast<size_t>(thread) + 1].at_least(bytes);
}

}  // namespace llmtool
