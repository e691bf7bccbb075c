#include "lib/corpus/dedup/min_hasher.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernels/hash/min_hash.h"
#include "lib/base/rng.h"

namespace llmtool {

MinHasher::MinHasher(int bands, int rows, uint64_t seed) : bands_(bands), rows_(rows) {
  LLMTOOL_ASSERT(bands > 0 && rows > 0);
  const auto count = static_cast<size_t>(bands * rows);
  const Rng rng(seed, stream_id("min_hash"));
  const auto padded = (count + MinHash::kGrain - 1) / MinHash::kGrain * MinHash::kGrain;
  for (size_t i = 0; i < padded; ++i) {
    const uint64_t bits = rng.bits(i);
    a_.push_back(static_cast<uint32_t>(bits >> 32) | 1);
    b_.push_back(static_cast<uint32_t>(bits));
  }
  if (detected_isa() != Isa::kNone) {
    Stream stream;
    stream.isa = selected_isa();
    kernel_ = &find_kernel(min_hash.name, stream);
  }
}

void MinHasher::sign(std::span<const uint32_t> hashes, std::vector<uint32_t>& signature) const {
  signature.assign(a_.size(), ~uint32_t{0});
  const MinHash args{.signature = signature.data(),
                     .hashes = hashes.data(),
                     .a = a_.data(),
                     .b = b_.data(),
                     .count = static_cast<int64_t>(hashes.size()),
                     .permutations = static_cast<int64_t>(a_.size())};
  args.validate();
  if (kernel_ == nullptr) {
    min_hash_baseline(args);
  } else {
    Stream stream;
    kernel_->run(&args, stream);
  }
  signature.resize(static_cast<size_t>(bands_ * rows_));
}

void MinHasher::append_keys(const std::vector<uint32_t>& signature,
                            std::vector<uint64_t>& keys) const {
  const auto rows = static_cast<size_t>(rows_);
  for (size_t band = 0; band < static_cast<size_t>(bands_); ++band) {
    keys.push_back(XXH3_64bits_withSeed(&signature[band * rows], rows * sizeof(uint32_t), band));
  }
}

}  // namespace llmtool
