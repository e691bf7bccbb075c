#include "lib/base/threads.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <fstream>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/error.h"

namespace llmtool {
namespace {

// Quota over period of the cgroup (v2, then v1); 0 if there is no limit.
double cgroup_cpu_limit() {
  if (std::ifstream f("/sys/fs/cgroup/cpu.max"); f) {
    std::string quota;
    double period = 0;
    if (f >> quota >> period && quota != "max" && period > 0) return std::stod(quota) / period;
    return 0;
  }
  std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (q >> quota && p >> period && quota > 0 && period > 0) return quota / period;
  return 0;
}

// The affinity mask that the process came with: pinning changes that of the calling thread.
const std::vector<int>& allowed_processors() {
  static const std::vector<int> all = [] {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    std::vector<int> cpus;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
      for (int i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(i, &mask)) cpus.push_back(i);
      }
    }
    return cpus;
  }();
  return all;
}

void run_on(const std::vector<int>& cpus) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int cpu : cpus) CPU_SET(cpu, &mask);
  pthread_setaffinity_np(pthread_self(), sizeof mask, &mask);
}

// The loops that this thread is inside of, innermost first.
struct Inside {
  const void* pool;
  int thread;
  const Inside* outer;
};
thread_local const Inside* inside = nullptr;

// The index of this thread in the pool's loop; -1 outside of one.
int thread_in(const void* pool) {
  for (const Inside* i = inside; i != nullptr; i = i->outer) {
    if (i->pool == pool) return i->thread;
  }
  return -1;
}

}  // namespace

int available_processors() {
  const int allowed = std::max<int>(1, static_cast<int>(allowed_processors().size()));
  const double limit = cgroup_cpu_limit();
  return limit > 0 ? std::clamp(static_cast<int>(std::ceil(limit)), 1, allowed) : allowed;
}

struct ThreadPool::State {
  explicit State(int threads) : scratch(threads) {}

  // One parallel loop. Workers take pieces with a fetch_add; `generation` tells them of a new one.
  Task task = nullptr;
  void* context = nullptr;
  int64_t n = 0, grain = 1;
  std::atomic<int64_t> next{0};
  std::atomic<int> busy{0};
  std::atomic<uint64_t> generation{0};
  std::atomic<bool> stop{false};

  std::mutex mutex;
  std::condition_variable wake, done;
  std::exception_ptr error;
  int64_t error_index = 0;

  // Loops from several outer threads take turns. Recursive: a loop of one piece runs in the calling
  // thread, and a loop inside of it is an outer one.
  std::recursive_mutex one_loop;
  std::vector<std::thread> workers;
  bool pinned = false;
  Scratch scratch;

  // After an exception the pieces that nobody has begun are left out: those before it have begun.
  void work(int thread) {
    const Inside here{this, thread, inside};
    inside = &here;
    while (true) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= n) break;
      try {
        task(context, begin, std::min(n, begin + grain), thread);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error || begin < error_index) {
          error = std::current_exception();
          error_index = begin;
        }
        next.store(n, std::memory_order_relaxed);
      }
    }
    inside = here.outer;
  }

  // A worker spins for some tens of microseconds (the gap between two operations of a model), then
  // parks.
  void worker_loop(int thread) {
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen;
           ++spin) {
        __builtin_ia32_pause();
      }
      if (generation.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen; });
      }
      seen = generation.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_acquire)) return;
      work(thread);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard lock(mutex);
        done.notify_one();
      }
    }
  }

  void start() {
    {
      std::lock_guard lock(mutex);
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
  }

  // Until every worker is done with the loop.
  void wait() {
    for (int spin = 0; spin < kSpins && busy.load(std::memory_order_acquire) != 0; ++spin) {
      __builtin_ia32_pause();
    }
    if (busy.load(std::memory_order_acquire) == 0) return;
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return busy.load(std::memory_order_acquire) == 0; });
  }

  static constexpr int kSpins = 2000;
};

namespace {

void run_in_order(int64_t n, int64_t grain, ThreadPool::Task task, void* context, int thread) {
  for (int64_t begin = 0; begin < n; begin += grain) {
    task(context, begin, std::min(n, begin + grain), thread);
  }
}

}  // namespace

ThreadPool::ThreadPool(int threads, bool pin) {
  const std::vector<int>& cpus = allowed_processors();
  const int n = threads > 0 ? threads : available_processors();
  state_ = std::make_unique<State>(n);
  state_->pinned = pin && n <= static_cast<int>(cpus.size());
  try {
    for (int i = 1; i < n; ++i) {
      state_->workers.emplace_back([state = state_.get(), i, &cpus] {
        if (state->pinned) run_on({cpus[static_cast<size_t>(i)]});
        state->worker_loop(i);
      });
    }
  } catch (const std::system_error& e) {
    stop();
    fail(Fault::kFailed, concat("cannot start ", n, " threads: ", e.what()),
         "ask for fewer with --threads");
  }
  if (state_->pinned) run_on({cpus[0]});
}

ThreadPool::~ThreadPool() {
  stop();
  if (state_->pinned) run_on(allowed_processors());
}

void ThreadPool::stop() {
  state_->stop = true;
  state_->start();
  for (std::thread& t : state_->workers) t.join();
}

Scratch& ThreadPool::scratch() {
  return state_->scratch;
}

int ThreadPool::size() const {
  return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::run(int64_t n, int64_t grain, Task task, void* context) {
  if (n <= 0) return;
  grain = std::max<int64_t>(1, grain);
  State& s = *state_;
  if (const int thread = thread_in(&s); thread >= 0) {
    return run_in_order(n, grain, task, context, thread);
  }
  std::lock_guard one(s.one_loop);
  if (s.workers.empty() || n <= grain) return run_in_order(n, grain, task, context, 0);
  s.task = task;
  s.context = context;
  s.n = n;
  s.grain = grain;
  s.error = nullptr;
  s.next.store(0, std::memory_order_relaxed);
  s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_release);
  s.start();
  s.work(0);
  s.wait();
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

}  // namespace llmtool
