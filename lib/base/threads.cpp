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
#include <thread>
#include <vector>

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

std::vector<int> allowed_processors() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &mask)) cpus.push_back(i);
    }
  }
  return cpus;
}

void pin_to(int cpu) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  pthread_setaffinity_np(pthread_self(), sizeof mask, &mask);
}

// The index of this thread in the loop it is working on; -1 outside of one.
thread_local int current_thread = -1;

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

  std::mutex one_loop;  // loops from several outer threads take turns
  std::vector<std::thread> workers;
  Scratch scratch;

  void work(int thread) {
    current_thread = thread;
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
      }
    }
    current_thread = -1;
  }

  // A worker spins for a few microseconds (the gap between two operations of a model), then parks.
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

  static constexpr int kSpins = 2000;
};

ThreadPool::ThreadPool(int threads, bool pin) {
  const std::vector<int> cpus = allowed_processors();
  const int n = threads > 0 ? threads : available_processors();
  state_ = std::make_unique<State>(n);
  pin = pin && n <= static_cast<int>(cpus.size());
  for (int i = 1; i < n; ++i) {
    state_->workers.emplace_back([this, i, pin, cpus] {
      if (pin) pin_to(cpus[static_cast<size_t>(i)]);
      state_->worker_loop(i);
    });
  }
  if (pin) pin_to(cpus[0]);
}

ThreadPool::~ThreadPool() {
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
  if (current_thread >= 0 || s.workers.empty() || n <= grain) {
    const int thread = std::max(0, current_thread);
    for (int64_t begin = 0; begin < n; begin += grain) {
      task(context, begin, std::min(n, begin + grain), thread);
    }
    return;
  }
  std::lock_guard one(s.one_loop);
  s.task = task;
  s.context = context;
  s.n = n;
  s.grain = grain;
  s.error = nullptr;
  s.next.store(0, std::memory_order_relaxed);
  s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_release);
  s.start();
  s.work(0);
  for (int spin = 0; spin < State::kSpins && s.busy.load(std::memory_order_acquire) != 0; ++spin) {
    __builtin_ia32_pause();
  }
  if (s.busy.load(std::memory_order_acquire) != 0) {
    std::unique_lock lock(s.mutex);
    s.done.wait(lock, [&] { return s.busy.load(std::memory_order_acquire) == 0; });
  }
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace llmtool
