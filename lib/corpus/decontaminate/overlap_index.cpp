#include "lib/corpus/decontaminate/overlap_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr uint64_t kBase = 0x9e3779b97f4a7c15;
constexpr uint32_t kNothing = ~uint32_t{0};
// N-grams of more parts than this lead to a part only where the part could be found by such n-grams
// alone.
constexpr uint32_t kCommon = 64;
constexpr uint32_t kAnswerWords = 100;
constexpr double kRounding = 1e-9;  // of shares that sums of weights make

uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

uint64_t power(size_t exponent) {
  uint64_t p = 1;
  for (size_t i = 0; i < exponent; ++i) p *= kBase;
  return p;
}

// f(first word, hash) for every n-gram.
template <class F>
void each_ngram(std::span<const MatchWord> words, size_t n, uint64_t out_factor, F f) {
  uint64_t hash = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    hash = hash * kBase + words[i].hash;
    if (i >= n) hash -= words[i - n].hash * out_factor;
    if (i + 1 >= n) f(i + 1 - n, mixed(hash));
  }
}

}  // namespace

std::string_view name_of(EvalPart part) {
  constexpr std::string_view kNames[] = {"question", "answer", "joint"};
  return kNames[static_cast<size_t>(part)];
}

OverlapIndex::OverlapIndex(std::vector<EvalItem> items, const OverlapRule& rule)
    : items_(std::move(items)), rule_(rule), power_(power(rule.ngram)) {
  check(rule.ngram > 0, Fault::kUsage, "n-grams of 0 words, expected at least 1");
  slots_.assign(1024, 0);
  answers_.resize(items_.size());
  for (uint32_t item = 0; item < items_.size(); ++item) add_parts(item);
  weigh();
  link();
  may_have_.assign(std::bit_ceil(std::max<size_t>(64, ngrams_.size() / 4)), 0);
  for (const Ngram& ngram : ngrams_) {
    const uint64_t bit = ngram.hash >> 32 & (may_have_.size() * 64 - 1);
    may_have_[bit / 64] |= uint64_t{1} << bit % 64;
  }
}

void OverlapIndex::add_parts(uint32_t item) {
  const size_t before = parts_.size();
  std::vector<MatchWord> question, answer;
  list_match_words(items_[item].question, rule_.zero_numbers, question);
  if (rule_.parts[0] && question.size() >= rule_.question_words) {
    add_part(item, EvalPart::kQuestion, question);
  }
  for (const std::string& text : items_[item].answers) {
    list_match_words(text, rule_.zero_numbers, answer);
    std::vector<uint64_t> hashes;
    for (const MatchWord& word : answer) hashes.push_back(word.hash);
    if (!hashes.empty()) answers_[item].push_back(std::move(hashes));
    if (rule_.parts[1] && answer.size() >= rule_.answer_words) {
      add_part(item, EvalPart::kAnswer, answer);
    }
    if (!rule_.parts[2] || answer.empty() || question.empty()) continue;
    const size_t tail = std::min(question.size(), rule_.ngram - 1);
    std::vector<MatchWord> joint(question.end() - static_cast<long>(tail), question.end());
    joint.insert(joint.end(), answer.begin(),
                 answer.begin() + static_cast<long>(std::min(answer.size(), rule_.ngram - 1)));
    add_part(item, EvalPart::kJoint, joint);
  }
  too_short_ += parts_.size() == before;
}

void OverlapIndex::add_part(uint32_t item, EvalPart kind, std::span<const MatchWord> words) {
  if (words.size() < rule_.ngram) return;
  Part part;
  part.item = item;
  part.kind = kind;
  part.words = static_cast<uint32_t>(words.size());
  each_ngram(words, rule_.ngram, power_,
             [&](size_t, uint64_t hash) { part.ngrams.push_back(ngram_of(hash)); });
  std::sort(part.ngrams.begin(), part.ngrams.end());
  part.ngrams.erase(std::unique(part.ngrams.begin(), part.ngrams.end()), part.ngrams.end());
  for (const uint32_t ngram : part.ngrams) ++ngrams_[ngram].parts;
  parts_.push_back(std::move(part));
}

uint32_t OverlapIndex::ngram_of(uint64_t hash) {
  if (const uint32_t known = lookup(hash); known != kNothing) return known;
  if (ngrams_.size() * 2 >= slots_.size()) grow();
  ngrams_.emplace_back().hash = hash;
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<uint32_t>(ngrams_.size());
  return static_cast<uint32_t>(ngrams_.size() - 1);
}

void OverlapIndex::grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (uint32_t i = 0; i < ngrams_.size(); ++i) {
    size_t slot = ngrams_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = i + 1;
  }
}

uint32_t OverlapIndex::lookup(uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (ngrams_[slots_[slot] - 1].hash == hash) return slots_[slot] - 1;
  }
  return kNothing;
}

void OverlapIndex::weigh() {
  const auto parts = static_cast<double>(parts_.size());
  for (Ngram& ngram : ngrams_) {
    if (rule_.idf) ngram.weight = std::log1p(parts / ngram.parts);
  }
  for (Part& part : parts_) {
    for (const uint32_t ngram : part.ngrams) part.weight += ngrams_[ngram].weight;
  }
}

void OverlapIndex::link() {
  for (uint32_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    double common = 0;
    for (const uint32_t ngram : part.ngrams) {
      if (ngrams_[ngram].parts > kCommon) common += ngrams_[ngram].weight;
    }
    const bool by_common = common >= (needed_share(part) - kRounding) * part.weight;
    for (const uint32_t ngram : part.ngrams) {
      if (by_common || ngrams_[ngram].parts <= kCommon) ngrams_[ngram].leads_to.push_back(i);
    }
  }
}

void OverlapIndex::find_hits(Scratch& scratch) const {
  scratch.hits.clear();
  const uint64_t bits = may_have_.size() * 64 - 1;
  each_ngram(scratch.words, rule_.ngram, power_, [&](size_t word, uint64_t hash) {
    const uint64_t bit = hash >> 32 & bits;
    if ((may_have_[bit / 64] >> bit % 64 & 1) == 0) return;
    const uint32_t ngram = lookup(hash);
    if (ngram != kNothing) scratch.hits.push_back({ngram, static_cast<uint32_t>(word)});
  });
  std::sort(scratch.hits.begin(), scratch.hits.end());
}

std::vector<Overlap> OverlapIndex::find(std::string_view text, Scratch& scratch,
                                        double& best_share) const {
  std::vector<Overlap> found;
  best_share = 0;
  list_match_words(text, rule_.zero_numbers, scratch.words);
  find_hits(scratch);
  if (scratch.hits.empty()) return found;
  list_candidates(scratch);
  for (const uint32_t part : scratch.candidates) {
    if (found.size() == kMostFound) break;
    judge(parts_[part], scratch, found, best_share);
  }
  return found;
}

void OverlapIndex::list_candidates(Scratch& scratch) const {
  std::vector<uint32_t>& candidates = scratch.candidates;
  candidates.clear();
  for (size_t i = 0; i < scratch.hits.size(); ++i) {
    const uint32_t ngram = scratch.hits[i].ngram;
    if (i > 0 && scratch.hits[i - 1].ngram == ngram) continue;
    const std::vector<uint32_t>& parts = ngrams_[ngram].leads_to;
    candidates.insert(candidates.end(), parts.begin(), parts.end());
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
}

// The hits of a part by place; false if too few of its n-grams are anywhere in the text.
bool OverlapIndex::list_hits(const Part& part, Scratch& scratch) const {
  const auto range = [&](uint32_t ngram) {
    return std::equal_range(scratch.hits.begin(), scratch.hits.end(), Scratch::Hit{ngram, 0},
                            [](const auto& a, const auto& b) { return a.ngram < b.ngram; });
  };
  double weight = 0;
  for (const uint32_t ngram : part.ngrams) {
    const auto [begin, end] = range(ngram);
    if (begin != end) weight += ngrams_[ngram].weight;
  }
  if (weight < needed_share(part) / 2 * part.weight) return false;
  scratch.of_part.clear();
  for (const uint32_t ngram : part.ngrams) {
    const auto [begin, end] = range(ngram);
    scratch.of_part.insert(scratch.of_part.end(), begin, end);
  }
  std::sort(scratch.of_part.begin(), scratch.of_part.end(),
            [](const auto& a, const auto& b) { return a.word < b.word; });
  return true;
}

void OverlapIndex::judge(const Part& part, Scratch& scratch, std::vector<Overlap>& found,
                         double& best_share) const {
  if (!list_hits(part, scratch)) return;
  const Cluster best = best_cluster(part, scratch);
  best_share = std::max(best_share, best.share);
  if (best.share == 0 || best.share < needed_share(part) - kRounding) return;
  Overlap overlap;
  overlap.item = part.item;
  overlap.part = part.kind;
  overlap.share = best.share;
  overlap.begin = scratch.words[best.first].begin;
  overlap.end = scratch.words[best.last + rule_.ngram - 1].end;
  if (part.kind == EvalPart::kQuestion) overlap.answer = look_for_answer(part, best, scratch);
  found.push_back(overlap);
}

// The first of the greatest share.
OverlapIndex::Cluster OverlapIndex::best_cluster(const Part& part, Scratch& scratch) const {
  std::vector<uint32_t>& seen = scratch.seen;
  seen.clear();
  Cluster best, now;
  const auto end_cluster = [&] {
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    double weight = 0;
    for (const uint32_t ngram : seen) weight += ngrams_[ngram].weight;
    now.share = seen.size() == part.ngrams.size() ? 1.0 : weight / part.weight;
    if (!seen.empty() && now.share > best.share) best = now;
    seen.clear();
  };
  for (const Scratch::Hit& hit : scratch.of_part) {
    if (!seen.empty() && hit.word - now.last > rule_.ngram + rule_.max_gap) end_cluster();
    if (seen.empty()) now.first = hit.word;
    now.last = hit.word;
    seen.push_back(hit.ngram);
  }
  end_cluster();
  return best;
}

Overlap::Answer OverlapIndex::look_for_answer(const Part& part, const Cluster& cluster,
                                              const Scratch& scratch) const {
  if (answers_[part.item].empty()) return Overlap::Answer::kNone;
  const std::vector<MatchWord>& words = scratch.words;
  const size_t low = cluster.first > kAnswerWords ? cluster.first - kAnswerWords : 0;
  const size_t high = std::min(words.size(), cluster.last + rule_.ngram + kAnswerWords);
  for (const std::vector<uint64_t>& answer : answers_[part.item]) {
    const size_t compared = std::min<size_t>(answer.size(), kAnswerWords);
    for (size_t i = low; i + compared <= high; ++i) {
      size_t n = 0;
      while (n < compared && words[i + n].hash == answer[n]) ++n;
      if (n == compared) return Overlap::Answer::kPresent;
    }
  }
  return Overlap::Answer::kAbsent;
}

}  // namespace llmtool
