// Memory that operations of one stream work in: grows to the largest need, keeps no content between
// calls. An operation must be done with it before it calls another.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace llmtool {

class Scratch {
 public:
  explicit Scratch(int threads);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // At least `bytes`, 64-byte aligned, uninitialised; throws Fault::kFailed if there is no memory.
  void* shared(size_t bytes);
  // The same for one thread of the stream's pool; called by that thread.
  void* of_thread(int thread, size_t bytes);

 private:
  struct Block;
  std::vector<Block> blocks_;  // [0] shared, [1 + thread]
};

}  // namespace llmtool
