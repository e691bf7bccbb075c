// A pool of threads for data-parallel loops. Threads park when idle and honour the affinity mask;
// they are pinned only if asked (train, serve, bench).
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "lib/base/attributes.h"
#include "lib/base/scratch.h"

namespace llmtool {

// Processors this process may use: the affinity mask, and the cgroup's CPU limit rounded up.
int available_processors();

class ThreadPool {
 public:
  // threads <= 0 means available_processors(). The calling thread is one of them.
  explicit ThreadPool(int threads = 0, bool pin = false);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Work space of the operation that runs on this pool.
  Scratch& scratch();

  using Task = void (*)(void* context, int64_t begin, int64_t end, int thread);

  // Cuts [0, n) into pieces of at most `grain` indices, hands them to the threads in order of
  // arrival, and returns when all are done. Which thread gets which piece is not fixed: results
  // must not depend on it. An exception thrown by a task is rethrown here (the first by index). A
  // call from inside a task runs inline, in the task's thread; a loop of one piece (n <= grain)
  // does not count as a task: it is a plain call in the calling thread. Loops of several outer
  // threads take turns. A task must not wait for a loop of another pool whose tasks use this one.
  void run(int64_t n, int64_t grain, Task task, void* context);

  // f(begin, end, thread) with 0 <= thread < size().
  template <class F>
  LLMTOOL_INLINE void parallel_for(int64_t n, int64_t grain, F&& f) {
    run(
        n, grain,
        [](void* context, int64_t begin, int64_t end, int thread) {
          (*static_cast<std::remove_reference_t<F>*>(context))(begin, end, thread);
        },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

 private:
  void stop();

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmtool
