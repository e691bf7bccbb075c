// A stream of items, worked on by all threads and taken in the order they came in.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "lib/base/threads.h"

namespace llmtool {

// bool produce(Item&): the next item; false at the end. One call at a time, in order.
// void work(Item&, int thread): on any thread, several at a time.
// void consume(Item&): one call at a time, in the order of produce().
// At most `window` items are alive. The three may throw: no new item is started then, and the
// exception of the earliest item comes out, the same one at any number of threads.
template <class Item, class Produce, class Work, class Consume>
class OrderedStream {
 public:
  OrderedStream(size_t window, Produce& produce, Work& work, Consume& consume)
      : produce_(produce), work_(work), consume_(consume), ready_(window) {}

  void run(ThreadPool& pool) {
    pool.parallel_for(pool.size(), 1, [&](int64_t, int64_t, int thread) { loop(thread); });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void loop(int thread) {
    std::unique_lock lock(mutex_);
    while (std::optional<uint64_t> index = start_item(lock)) {
      Item item;
      lock.unlock();
      bool more = false;
      const bool produced = guarded(*index, [&] { more = produce_(item); });
      lock.lock();
      producing_ = false;
      ended_ = ended_ || !produced || !more;
      changed_.notify_all();
      if (!produced || !more) return;
      lock.unlock();
      const bool worked = guarded(*index, [&] { work_(item, thread); });
      lock.lock();
      if (!worked) continue;
      ready_[*index % ready_.size()] = std::move(item);
      take_ready(lock);
    }
  }

  // Waits for a place in the window and the turn to produce.
  std::optional<uint64_t> start_item(std::unique_lock<std::mutex>& lock) {
    changed_.wait(lock,
                  [&] { return ended_ || (!producing_ && produced_ < consumed_ + ready_.size()); });
    if (ended_) return std::nullopt;
    producing_ = true;
    return produced_++;
  }

  void take_ready(std::unique_lock<std::mutex>& lock) {
    while (!consuming_ && ready_[consumed_ % ready_.size()]) {
      consuming_ = true;
      Item item = std::move(*ready_[consumed_ % ready_.size()]);
      ready_[consumed_ % ready_.size()].reset();
      lock.unlock();
      const bool consumed = guarded(consumed_, [&] { consume_(item); });
      lock.lock();
      consuming_ = !consumed;  // after a failure nothing more is taken
      if (consumed) ++consumed_;
      changed_.notify_all();
    }
  }

  template <class F>
  bool guarded(uint64_t index, F&& f) {
    try {
      f();
      return true;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_ || index < error_index_) {
        error_ = std::current_exception();
        error_index_ = index;
      }
      ended_ = true;
      changed_.notify_all();
      return false;
    }
  }

  Produce& produce_;
  Work& work_;
  Consume& consume_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<Item>> ready_;  // by index modulo the window
  uint64_t produced_ = 0, consumed_ = 0;
  bool producing_ = false, consuming_ = false, ended_ = false;
  std::exception_ptr error_;
  uint64_t error_index_ = 0;
};

template <class Item, class Produce, class Work, class Consume>
void run_in_order(ThreadPool& pool, size_t window, Produce produce, Work work, Consume consume) {
  OrderedStream<Item, Produce, Work, Consume>(window, produce, work, consume).run(pool);
}

}  // namespace llmtool
