#include "lib/corpus/dedup/bloom_dedup.h"

#include <cmath>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/corpus/dedup/logged_hashes.h"

namespace llmtool {
namespace {

constexpr const char* kBits = "bits";  // the data file of an index
constexpr size_t kAhead = 8;           // hashes

BloomDedupOptions with_defaults(BloomDedupOptions o) {
  if (o.normalise.empty()) o.normalise = o.unit == "paragraph" ? "ccnet" : "none";
  if (!o.min_chars) o.min_chars = o.unit == "line" ? 1 : 0;
  check(o.ngram > 0 && o.ngram <= 1000, Fault::kUsage, "--ngram ", o.ngram, ", expected 1 to 1000");
  check(o.min_ngram > 0 && o.min_ngram <= o.ngram, Fault::kUsage, "--min-ngram ", o.min_ngram,
        ", expected 1 to ", o.ngram);
  check(o.overlap >= 0 && o.overlap <= 1, Fault::kUsage, "--overlap ", o.overlap,
        ", expected a share from 0 to 1");
  return o;
}

PieceHasherOptions hashing_of(const BloomDedupOptions& o) {
  PieceHasherOptions hashing;
  hashing.unit = o.unit == "ngram" ? TextUnit::kLine : text_unit_of(o.unit);
  hashing.normalisation = normalisation_of(o.normalise);
  hashing.min_chars = *o.min_chars;
  hashing.seed = o.seed;
  return hashing;
}

}  // namespace

BloomDedup::BloomDedup(BloomDedupOptions options)
    : options_(with_defaults(std::move(options))),
      hashing_(hashing_of(options_)),
      shape_(bloom_shape(options_.expected_items, options_.false_positive_rate)),
      piece_removal_(hashing_.unit, options_.min_bytes) {}

std::vector<Figure> BloomDedup::figures() const {
  if (!by_ngram()) return {};
  return {{.name = "seen_ngram_share", .at_least = {}, .at_most = options_.overlap}};
}

IndexKind BloomDedup::index_kind() const {
  const BloomDedupOptions& o = options_;
  return {.format = "llmtool bloom index",
          .version = 1,
          .settings = concat("unit=", o.unit, " normalise=", o.normalise,
                             by_ngram() ? concat(" ngram=", o.ngram) : "", " expected-items=",
                             o.expected_items, " false-positive-rate=", o.false_positive_rate,
                             " seed=", o.seed, " bits=", shape_.bits, " hashes=", shape_.hashes),
          .files = {kBits}};
}

void BloomDedup::start(StepResources& resources) {
  if (shape_.bytes() > resources.memory) {
    fail(Fault::kUsage,
         concat("a filter for ", options_.expected_items, " items at a rate of ",
                options_.false_positive_rate, " takes ", shape_.bytes(), " bytes; --memory leaves ",
                resources.memory, " to this step"),
         "give more --memory, or a higher --false-positive-rate");
  }
  filter_ = std::make_unique<BloomFilter>(shape_);
  if (!options_.index.empty()) {
    const fs::path before = index_before_run(options_.index, index_kind(), resources);
    if (!before.empty()) filter_->load(before / kBits);
  }
  inserted_ = &resources.log("inserted");
  items_ = logged_hashes(*inserted_);
  for_each_logged(*inserted_, [&](std::span<const uint64_t> hashes) {
    for (const uint64_t hash : hashes) filter_->insert(hash);
  });
  const auto threads = static_cast<size_t>(resources.threads);
  hashers_.assign(threads, PieceHasher(hashing_));
  shinglers_.assign(
      threads,
      Shingler({.words = true, .size = options_.ngram, .normalisation = hashing_.normalisation}));
}

void BloomDedup::work(Document& document, Tally&, int thread) {
  document.keys.clear();
  const auto t = static_cast<size_t>(thread);
  if (by_ngram())
    hash_ngrams(document, shinglers_[t]);
  else
    hashers_[t].hash(document, document.keys);
}

// For each line how many n-grams it has, and then their hashes.
void BloomDedup::hash_ngrams(Document& document, Shingler& shingler) const {
  std::vector<uint64_t>& keys = document.keys;
  const std::string_view text = document.text;
  std::vector<TextPiece> lines;
  cut_text(text, TextUnit::kLine, lines);
  for (const TextPiece& line : lines) {
    const size_t at = keys.size();
    keys.push_back(0);
    keys[at] = shingler.append_hashes(text.substr(line.content, line.content_end - line.content),
                                      static_cast<uint64_t>(options_.min_ngram), keys);
    for (size_t i = at + 1; i < keys.size(); ++i) keys[i] ^= options_.seed * 0x9e3779b97f4a7c15;
  }
}

bool BloomDedup::insert(uint64_t hash) {
  if (!filter_->insert(hash)) return false;
  new_hashes_.push_back(hash);
  return true;
}

void BloomDedup::decide(Document& document, Tally& tally) {
  new_hashes_.clear();
  is_removed_.clear();
  if (by_ngram())
    decide_ngrams(document, tally);
  else
    decide_pieces(document, tally);
  inserted_->append(new_hashes_.data(), new_hashes_.size() * sizeof(uint64_t));
  items_ += new_hashes_.size();
}

void BloomDedup::decide_pieces(Document& document, Tally& tally) {
  const std::vector<uint64_t>& keys = document.keys;
  bool any = false;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) filter_->prefetch(keys[i + kAhead]);
    is_removed_.push_back(keys[i] != PieceHasher::kExempt && !insert(keys[i]));
    any |= is_removed_.back();
  }
  if (!any) return;
  if (hashing_.unit == TextUnit::kDocument)
    reject(document, "duplicate");
  else
    piece_removal_.remove(document, is_removed_, tally);
}

// As DCLM's bff does with `old-both`.
void BloomDedup::decide_ngrams(Document& document, Tally& tally) {
  const std::vector<uint64_t>& keys = document.keys;
  uint64_t all = 0, all_seen = 0;
  bool any = false;
  for (size_t at = 0; at < keys.size();) {
    const size_t begin = at + 1, end = begin + keys[at];
    uint64_t seen = 0;
    for (size_t i = begin; i < end; ++i) {
      if (i + kAhead < end) filter_->prefetch(keys[i + kAhead]);
      seen += filter_->contains(keys[i]);
    }
    const auto count = static_cast<double>(end - begin);
    const bool removed = end > begin && static_cast<double>(seen) / count > options_.overlap;
    if (!removed) {
      for (size_t i = begin; i < end; ++i) insert(keys[i]);
    }
    is_removed_.push_back(removed);
    any |= removed;
    all += end - begin;
    all_seen += seen;
    at = end;
  }
  const double share = all == 0 ? 0 : static_cast<double>(all_seen) / static_cast<double>(all);
  tally.record(0, share, document);
  if (share > options_.overlap) {
    reject(document, "ngram_overlap", concat(share), concat("<= ", options_.overlap));
  } else if (any) {
    piece_removal_.remove(document, is_removed_, tally);
  }
}

void BloomDedup::finish(StepResources& resources) {
  fill_ = filter_->fill();
  if (options_.index.empty()) return;
  IndexWriter index(options_.index, index_kind());
  filter_->save(index.file(kBits));
  index.commit(index_before_run(options_.index, index_kind(), resources));
}

std::vector<Fact> BloomDedup::facts() const {
  const double rate = std::pow(fill_, shape_.hashes);
  std::vector<Fact> facts{fact("bits", shape_.bits), fact("hashes", shape_.hashes),
                          fact("items inserted", items_),
                          fact("false-positive rate at the end", rate, formatted("%.3g", rate))};
  if (items_ > options_.expected_items) {
    facts.push_back(fact("more items than expected", items_ - options_.expected_items));
  }
  return facts;
}

}  // namespace llmtool
