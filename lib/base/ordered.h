// Streams of items that all threads work on, with places where the order of the items counts.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lib/base/threads.h"

namespace llmtool {

// Each item passes the stages one after another: in each, work() on any thread, several items at a
// time, and then in_order(), one item at a time in the order of produce(). Either may be empty. At
// most `window` items are alive; those nearest to the end go first.
//
// The functions may throw: no new item is started then, items before the failing one go their whole
// way, later ones are dropped, and the exception of the earliest comes out: the same one, after the
// same calls of in_order(), at any number of threads.
template <class Item>
class StagedStream {
 public:
  struct Stage {
    std::function<void(Item&, int thread)> work;
    std::function<void(Item&)> in_order;
  };
  // The next item; false at the end. One call at a time, in order.
  using Produce = std::function<bool(Item&)>;

  StagedStream(size_t window, Produce produce, std::vector<Stage> stages)
      : window_(window),
        produce_(std::move(produce)),
        stages_(std::move(stages)),
        places_(stages_.size()) {}

  void run(ThreadPool& pool) {
    pool.parallel_for(pool.size(), 1, [&](int64_t, int64_t, int thread) { loop(thread); });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  using Queue = std::map<uint64_t, std::unique_ptr<Item>>;  // by index
  struct Place {
    Queue ready, waiting;  // for work(), for in_order()
    uint64_t next = 0;     // index whose turn in_order() is
    bool busy = false;
  };
  using Lock = std::unique_lock<std::mutex>;

  void loop(int thread) {
    Lock lock(mutex_);
    while (true) {
      drop_after_error();
      if (run_queued(lock, thread) || run_produce(lock)) continue;
      if ((ended_ || error_) && alive_ == 0) break;
      changed_.wait(lock);
    }
    changed_.notify_all();
  }

  bool run_queued(Lock& lock, int thread) {
    for (size_t s = stages_.size(); s-- > 0;) {
      Place& place = places_[s];
      const bool has_turn =
          !place.waiting.empty() && place.waiting.begin()->first == place.next && !place.busy;
      if (has_turn) {
        place.busy = true;
        step(
            lock, place.waiting, [&](Item& item) { call(stages_[s].in_order, item); },
            [&](uint64_t index, std::unique_ptr<Item> item) { leave(s, index, std::move(item)); });
        place.busy = false;
        return true;
      }
      if (!place.ready.empty()) {
        step(
            lock, place.ready, [&](Item& item) { call(stages_[s].work, item, thread); },
            [&](uint64_t index, std::unique_ptr<Item> item) {
              place.waiting.emplace(index, std::move(item));
            });
        return true;
      }
    }
    return false;
  }

  // Takes the first of a queue through f, without the lock, and hands it on.
  template <class F, class Next>
  void step(Lock& lock, Queue& queue, F&& f, Next&& next) {
    const uint64_t index = queue.begin()->first;
    std::unique_ptr<Item> item = std::move(queue.begin()->second);
    queue.erase(queue.begin());
    lock.unlock();
    std::exception_ptr error;
    try {
      f(*item);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error) {
      note_error(index, error);
      --alive_;
    } else {
      next(index, std::move(item));
    }
    changed_.notify_all();
  }

  void leave(size_t s, uint64_t index, std::unique_ptr<Item> item) {
    ++places_[s].next;
    if (s + 1 < stages_.size()) {
      places_[s + 1].ready.emplace(index, std::move(item));
    } else {
      --alive_;
    }
  }

  bool run_produce(Lock& lock) {
    if (ended_ || error_ || producing_ || alive_ >= window_) return false;
    producing_ = true;
    ++alive_;
    lock.unlock();
    auto item = std::make_unique<Item>();
    bool more = false;
    std::exception_ptr error;
    try {
      more = produce_(*item);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    producing_ = false;
    if (error) note_error(produced_, error);
    ended_ = ended_ || error || !more;
    if (more && !error) {
      places_.front().ready.emplace(produced_++, std::move(item));
    } else {
      --alive_;
    }
    changed_.notify_all();
    return true;
  }

  void note_error(uint64_t index, std::exception_ptr error) {
    if (error_ && index >= error_index_) return;
    error_ = std::move(error);
    error_index_ = index;
  }

  void drop_after_error() {
    if (!error_) return;
    for (Place& place : places_) {
      for (Queue* queue : {&place.ready, &place.waiting}) {
        while (!queue->empty() && queue->rbegin()->first > error_index_) {
          queue->erase(std::prev(queue->end()));
          --alive_;
        }
      }
    }
  }

  template <class F, class... A>
  static void call(const F& f, A&&... arguments) {
    if (f) f(std::forward<A>(arguments)...);
  }

  size_t window_;
  Produce produce_;
  std::vector<Stage> stages_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place> places_;
  uint64_t produced_ = 0;
  size_t alive_ = 0;
  bool producing_ = false, ended_ = false;
  std::exception_ptr error_;
  uint64_t error_index_ = 0;
};

// The common case of one stage.
template <class Item, class Produce, class Work, class Consume>
void run_in_order(ThreadPool& pool, size_t window, Produce produce, Work work, Consume consume) {
  StagedStream<Item>(window, produce, {{work, consume}}).run(pool);
}

}  // namespace llmtool
