#include "lib/base/threads.h"

#include <atomic>
#include <doctest/doctest.h>
#include <numeric>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace llmtool;

TEST_CASE("threads: every index exactly once, at any number of threads and any grain") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const int64_t n : {0, 1, 2, 7, 1000}) {
      for (const int64_t grain : {0, 1, 3, 999, 5000}) {
        CAPTURE(threads);
        CAPTURE(n);
        CAPTURE(grain);
        std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
        std::atomic<bool> thread_in_range = true;
        pool.parallel_for(n, grain, [&](int64_t begin, int64_t end, int thread) {
          if (thread < 0 || thread >= threads) thread_in_range = false;
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
        });
        CHECK(thread_in_range);
        int64_t once = 0;
        for (const auto& count : seen) once += count == 1;
        CHECK(once == n);
      }
    }
  }
}

TEST_CASE("threads: thousands of short loops, spinning and parked") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  for (int loop = 0; loop < 5000; ++loop) {
    pool.parallel_for(4, 1, [&](int64_t begin, int64_t, int) { sum += begin + 1; });
    if (loop % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(sum == 5000 * 10);
}

TEST_CASE("threads: a loop inside a task runs in that task's thread") {
  ThreadPool pool(3);
  std::atomic<int> wrong = 0, inner = 0;
  pool.parallel_for(8, 1, [&](int64_t, int64_t, int outer_thread) {
    const auto id = std::this_thread::get_id();
    pool.parallel_for(10, 1, [&](int64_t, int64_t, int inner_thread) {
      if (inner_thread != outer_thread || std::this_thread::get_id() != id) ++wrong;
      ++inner;
    });
  });
  CHECK(wrong == 0);
  CHECK(inner == 80);
}

TEST_CASE("threads: a loop of one piece leaves the pool to the loops inside of it") {
  ThreadPool pool(2);
  std::atomic<int> in_both = 0;
  pool.parallel_for(1, 1, [&](int64_t, int64_t, int) {
    // Passes only if two threads are inside at once.
    pool.parallel_for(2, 1, [&](int64_t, int64_t, int) {
      ++in_both;
      while (in_both < 2) std::this_thread::yield();
    });
  });
  CHECK(in_both == 2);
}

TEST_CASE("threads: another pool's loop inside a task has its own thread numbers") {
  ThreadPool outer(4), inner(2);
  std::atomic<int> wrong = 0;
  std::atomic<int> busy[2] = {0, 0};
  outer.parallel_for(16, 1, [&](int64_t, int64_t, int) {
    inner.parallel_for(8, 1, [&](int64_t, int64_t, int thread) {
      if (thread < 0 || thread >= 2) return void(++wrong);
      if (++busy[thread] != 1) ++wrong;
      --busy[thread];
    });
  });
  CHECK(wrong == 0);
}

TEST_CASE("threads: loops of several outer threads take turns") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> outer;
  for (int t = 0; t < 4; ++t) {
    outer.emplace_back([&] {
      for (int loop = 0; loop < 300; ++loop) {
        pool.parallel_for(10, 2, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
      }
    });
  }
  for (std::thread& t : outer) t.join();
  CHECK(sum == 4 * 300 * 10);
}

TEST_CASE("threads: the first exception by index comes out, and the pool works on") {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      std::string what;
      try {
        pool.parallel_for(100, 1, [](int64_t begin, int64_t, int) {
          if (begin >= 40) throw std::runtime_error(std::to_string(begin));
        });
      } catch (const std::runtime_error& e) {
        what = e.what();
      }
      CHECK(what == "40");
    }
    std::atomic<int> count = 0;
    pool.parallel_for(10, 1, [&](int64_t, int64_t, int) { ++count; });
    CHECK(count == 10);
  }
}

TEST_CASE("threads: pinning ends with the pool") {
  cpu_set_t before, after;
  sched_getaffinity(0, sizeof before, &before);
  const int processors = available_processors();
  { ThreadPool pool(1, true); }
  sched_getaffinity(0, sizeof after, &after);
  CHECK(CPU_EQUAL(&before, &after) != 0);
  CHECK(available_processors() == processors);
}
