// A curve of any number of points, kept in bounded memory: neighbours share a bucket of which the
// mean, the least and the greatest value stay, so that no peak is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace llmtool {

class Curve {
 public:
  static constexpr size_t kMostBuckets = 512;

  struct Bucket {
    double first_x = 0, last_x = 0;
    double mean = 0, min = 0, max = 0;
    int64_t count = 0;
  };

  // x must not fall. A y that is not finite is left out. The buckets are a function of the points
  // alone: one for each while there are at most kMostBuckets, then for twice as many each time.
  void add(double x, double y);

  const std::vector<Bucket>& buckets() const { return buckets_; }
  bool empty() const { return buckets_.empty(); }

 private:
  std::vector<Bucket> buckets_;
  int64_t points_per_bucket_ = 1;
};

}  // namespace llmtool
