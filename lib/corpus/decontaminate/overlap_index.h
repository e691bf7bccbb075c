// Finds evaluation items in texts by their n-grams of words.
//
// An item has parts: its question, if it has question_words words; each answer of answer_words
// words or more; and "joint", the n-grams that hold the end of the question and the beginning of an
// answer. A part counts if it has at least n words. A text holds of a part, near each other (at
// most max_gap words between one n-gram that matches and the next), a share of its n-grams: of the
// sum of their weights, each distinct n-gram once. The weight is 1, or with idf the logarithm of 1
// + parts / parts with that n-gram. A part is found if the greatest share is at least min_share
// (all of it for a part of at most perfect_words words).
//
// Words and n-grams are compared by 64-bit hashes: among 10^6 n-grams a wrong one is expected once
// in 10^13 words, and a part needs several.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/decontaminate/eval_set.h"
#include "lib/corpus/decontaminate/match_words.h"

namespace llmtool {

enum class EvalPart : uint8_t { kQuestion, kAnswer, kJoint };
std::string_view name_of(EvalPart part);  // "question", ...

struct OverlapRule {
  size_t ngram = 5;                     // words
  bool parts[3] = {true, true, false};  // by EvalPart
  double min_share = 0.8;               // 0: any n-gram
  size_t perfect_words = 25;
  size_t max_gap = 11;
  size_t question_words = 8;  // "Why is the sky blue" is anybody's
  size_t answer_words = 20;   // a shorter answer says nothing without its question
  bool idf = true;
  bool zero_numbers = false;
};

struct Overlap {
  uint32_t item = 0;  // in items()
  EvalPart part = EvalPart::kQuestion;
  double share = 0;
  size_t begin = 0, end = 0;  // bytes of the text, from the first to the last n-gram
  // Of a question: whether one of the answers stands within 100 words of it.
  enum class Answer : uint8_t { kNone, kAbsent, kPresent } answer = Answer::kNone;

  bool operator==(const Overlap&) const = default;
};

class OverlapIndex {
 public:
  OverlapIndex(std::vector<EvalItem> items, const OverlapRule& rule);

  const std::vector<EvalItem>& items() const { return items_; }
  size_t part_count() const { return parts_.size(); }
  size_t ngram_count() const { return ngrams_.size(); }
  // Items with no part that is long enough: they cannot be found.
  size_t too_short() const { return too_short_; }

  static constexpr size_t kMostFound = 100;

  // What a thread works with.
  struct Scratch {
    std::vector<MatchWord> words;
    struct Hit {
      uint32_t ngram, word;  // the n-gram's first word
      auto operator<=>(const Hit&) const = default;
    };
    std::vector<Hit> hits;  // sorted
    std::vector<Hit> of_part;
    std::vector<uint32_t> candidates, seen;
  };

  // What is found in the text, by item and part; at most kMostFound. best_share: the greatest share
  // of any part, found or not; a part of which less than half of what it needs is anywhere in the
  // text does not count.
  std::vector<Overlap> find(std::string_view text, Scratch& scratch, double& best_share) const;

 private:
  struct Part {
    uint32_t item = 0;
    EvalPart kind = EvalPart::kQuestion;
    uint32_t words = 0;
    double weight = 0;             // of all its n-grams
    std::vector<uint32_t> ngrams;  // sorted, distinct
  };
  struct Ngram {
    uint64_t hash = 0;
    uint32_t parts = 0;  // that have it
    double weight = 1;
    std::vector<uint32_t> leads_to;  // parts to look at where it is found
  };
  struct Cluster {
    double share = 0;
    uint32_t first = 0, last = 0;  // words where its first and last n-gram begin
  };

  void add_parts(uint32_t item);
  void add_part(uint32_t item, EvalPart kind, std::span<const MatchWord> words);
  uint32_t ngram_of(uint64_t hash);
  void weigh();
  void link();
  void grow();
  void find_hits(Scratch& scratch) const;
  void list_candidates(Scratch& scratch) const;
  bool list_hits(const Part& part, Scratch& scratch) const;
  void judge(const Part& part, Scratch& scratch, std::vector<Overlap>& found,
             double& best_share) const;
  Cluster best_cluster(const Part& part, Scratch& scratch) const;
  Overlap::Answer look_for_answer(const Part& part, const Cluster& cluster,
                                  const Scratch& scratch) const;
  uint32_t lookup(uint64_t hash) const;
  double needed_share(const Part& part) const {
    return part.words <= rule_.perfect_words ? 1.0 : rule_.min_share;
  }

  std::vector<EvalItem> items_;
  OverlapRule rule_;
  uint64_t power_ = 1;  // of the rolling hash
  std::vector<Part> parts_;
  std::vector<Ngram> ngrams_;
  std::vector<uint32_t> slots_;     // open addressing: n-gram + 1, 0 is empty
  std::vector<uint64_t> may_have_;  // a bit for some hashes; most that are not there stop here
  std::vector<std::vector<std::vector<uint64_t>>> answers_;  // [item][answer]: hashes of words
  size_t too_short_ = 0;
};

}  // namespace llmtool
