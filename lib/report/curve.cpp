#include "lib/report/curve.h"

#include <algorithm>
#include <cmath>

namespace llmtool {
namespace {

// What comes behind it.
void join(Curve::Bucket& into, const Curve::Bucket& next) {
  const int64_t count = into.count + next.count;
  const double share = static_cast<double>(next.count) / static_cast<double>(count);
  into.mean += (next.mean - into.mean) * share;
  into.last_x = next.last_x;
  into.min = std::min(into.min, next.min);
  into.max = std::max(into.max, next.max);
  into.count = count;
}

}  // namespace

void Curve::add(double x, double y) {
  if (!std::isfinite(y)) return;
  const Bucket point{x, x, y, y, y, 1};
  if (!buckets_.empty() && buckets_.back().count < points_per_bucket_) {
    return join(buckets_.back(), point);
  }
  if (buckets_.size() == kMostBuckets) {
    for (size_t i = 0; i < kMostBuckets / 2; ++i) {
      buckets_[i] = buckets_[2 * i];
      join(buckets_[i], buckets_[2 * i + 1]);
    }
    buckets_.resize(kMostBuckets / 2);
    points_per_bucket_ *= 2;
  }
  buckets_.push_back(point);
}

}  // namespace llmtool
