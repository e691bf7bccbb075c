#include "lib/corpus/license/match_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/match_align.h"
#include "lib/corpus/license/match_change.h"

namespace llmtool::license {
namespace {

constexpr uint32_t kLongestGap = 140;  // words of the text between anchors of one chain
constexpr int64_t kShift = 8;  // words that may be missing between them, and as many as stand there
constexpr double kNamed = 0.9, kNamedShort = 0.93, kAlike = 0.75;
constexpr size_t kShort = 30;        // words
constexpr size_t kAlikeLength = 40;  // words of a licence that is called unknown when changed
constexpr uint32_t kBucket = 16;     // words
constexpr uint8_t kTriesShort = 24, kTriesLong = 10;
constexpr size_t kLong = 600;  // words

struct Anchor {
  uint32_t at = 0, place = 0;  // of the licence, of the text
  int64_t shift() const { return int64_t{at} - place; }
};

struct Chain {
  uint32_t text = 0;  // which template
  uint32_t weight = 0;
  Anchor first, last;
  // The heaviest run of anchors at one distance, where an alignment may safely begin.
  Anchor run, best;
  uint32_t run_weight = 0, best_weight = 0;

  bool open() const { return weight > 0; }
  bool stale(uint32_t place) const { return place > last.place + kLongestGap; }
  bool takes(Anchor next) const {
    if (!open() || stale(next.place) || next.at <= last.at || next.place <= last.place)
      return false;
    return std::llabs(next.shift() - last.shift()) <= kShift + next.place - last.place;
  }
  void take(Anchor next, uint32_t stands_for) {
    // As much as its gram stands for, but no more than there are words since the last.
    const uint32_t gain = std::min(stands_for, next.at - last.at);
    if (next.shift() != last.shift()) run = next, run_weight = 0;
    weight += gain;
    run_weight += gain;
    if (run_weight > best_weight) best = run, best_weight = run_weight;
    last = next;
  }
  // How many words an alignment may be expected to match, less those it misses.
  double promise(size_t length) const {
    const double matched = std::min<double>(weight, static_cast<double>(length));
    return 1.5 * matched - 0.5 * static_cast<double>(length);
  }
};

// The words that are compared.
struct Compared {
  std::vector<uint16_t> numbers;
  std::vector<const Word*> words;
};

Compared compared(const Fingerprints& fingerprints, const std::vector<Word>& words) {
  Compared result;
  result.numbers.reserve(words.size());
  result.words.reserve(words.size());
  for (const Word& word : words) {
    if (word.has(Word::kSkipped)) continue;
    result.numbers.push_back(fingerprints.number_of(word.hash));
    result.words.push_back(&word);
  }
  return result;
}

class ChainBuilder {
 public:
  explicit ChainBuilder(const Fingerprints& fingerprints)
      : fingerprints_(fingerprints), open_(fingerprints.texts().size() * 2) {}

  std::vector<Chain> run(const std::vector<uint16_t>& numbers) {
    constexpr size_t kGram = Fingerprints::kGram;
    uint32_t known = 0;
    for (uint32_t i = 0; i < numbers.size(); ++i) {
      known = numbers[i] == 0 ? 0 : known + 1;
      if (known < kGram) continue;
      const auto place = static_cast<uint32_t>(i + 1 - kGram);
      for (const Fingerprints::Posting& posting : fingerprints_.find(&numbers[place])) {
        add(posting, place);
      }
    }
    for (const uint32_t text : used_) {
      close(open_[text * 2]);
      close(open_[text * 2 + 1]);
    }
    return std::move(closed_);
  }

 private:
  // Two chains a licence: the one that runs, and one that may take its place (a second copy).
  void add(const Fingerprints::Posting& posting, uint32_t place) {
    Chain* chains = open_.data() + size_t{posting.text} * 2;
    if (!chains[0].open() && !chains[1].open()) used_.push_back(posting.text);
    const Anchor anchor{posting.at, place};
    for (int i = 0; i < 2; ++i) {
      if (chains[i].takes(anchor)) return chains[i].take(anchor, posting.weight);
    }
    Chain* weaker =
        chains[0].stale(place) || chains[0].weight < chains[1].weight ? chains : chains + 1;
    if (chains[1].stale(place)) weaker = chains + 1;
    if (!chains[1].open()) weaker = chains + 1;
    if (!chains[0].open()) weaker = chains;
    close(*weaker);
    *weaker = {posting.text, posting.weight, anchor,         anchor,
               anchor,       anchor,         posting.weight, posting.weight};
  }

  void close(Chain& chain) {
    if (chain.open()) {
      const size_t length = fingerprints_.texts()[chain.text].body.size();
      if (chain.weight * 10 >= length * 3 || chain.weight > 100) closed_.push_back(chain);
    }
    chain = {};
  }

  const Fingerprints& fingerprints_;
  std::vector<Chain> open_;
  std::vector<uint32_t> used_;
  std::vector<Chain> closed_;
};

struct Candidate {
  uint32_t text = 0;
  Alignment alignment;
  uint32_t begin = 0, end = 0;  // with title and appendix
  double score = 0;
};

class Chooser {
 public:
  Chooser(const Fingerprints& fingerprints, const Compared& text)
      : fingerprints_(fingerprints), text_(text), tries_(text.numbers.size() / kBucket + 1) {}

  void align_best(std::vector<Chain>& chains) {
    const auto promise = [&](const Chain& chain) {
      return chain.promise(fingerprints_.texts()[chain.text].body.size());
    };
    std::sort(chains.begin(), chains.end(), [&](const Chain& a, const Chain& b) {
      const double pa = promise(a), pb = promise(b);
      if (pa != pb) return pa > pb;
      return a.text != b.text ? a.text < b.text : a.first.place < b.first.place;
    });
    for (const Chain& chain : chains) {
      const Template& licence = fingerprints_.texts()[chain.text];
      if (count_try(chain, licence.body.size() > kLong ? kTriesLong : kTriesShort)) {
        try_one(chain, licence);
      }
    }
  }

  std::vector<TextMatch> choose() {
    std::sort(candidates_.begin(), candidates_.end(), [&](const Candidate& a, const Candidate& b) {
      if (a.score != b.score) return a.score > b.score;
      const size_t la = length(a), lb = length(b);
      if (la != lb) return la > lb;
      return a.text != b.text ? a.text < b.text : a.begin < b.begin;
    });
    std::vector<TextMatch> matches;
    std::vector<uint8_t> taken(text_.numbers.size() + 1, 0);
    for (const Candidate& candidate : candidates_) {
      const Alignment& alignment = candidate.alignment;
      const auto overlap =
          std::count(taken.begin() + alignment.begin, taken.begin() + alignment.end, 1);
      if (overlap * 4 > static_cast<int64_t>(alignment.end - alignment.begin)) continue;
      const std::string expression = name(candidate);
      if (expression.empty()) continue;
      std::fill(taken.begin() + candidate.begin, taken.begin() + candidate.end, 1);
      matches.push_back({expression, alignment.similarity(), candidate.begin, candidate.end,
                         alignment.begin, alignment.end});
    }
    std::sort(matches.begin(), matches.end(),
              [](const TextMatch& a, const TextMatch& b) { return a.begin < b.begin; });
    return matches;
  }

 private:
  size_t length(const Candidate& candidate) const {
    return fingerprints_.texts()[candidate.text].body.size();
  }

  // Each stretch of the text is aligned with so many licences at most.
  bool count_try(const Chain& chain, uint8_t most) {
    const auto first = tries_.begin() + chain.first.place / kBucket;
    const auto last = tries_.begin() + chain.last.place / kBucket + 1;
    if (*std::min_element(first, last) >= most) return false;
    std::for_each(first, last, [](uint8_t& tries) { tries = tries < 255 ? tries + 1 : tries; });
    return true;
  }

  void try_one(const Chain& chain, const Template& licence) {
    Candidate candidate{chain.text, {}, 0, 0, 0};
    if (!align(licence, text_.numbers, chain.best.at, chain.best.place, scratch_,
               candidate.alignment)) {
      return;
    }
    const Alignment& a = candidate.alignment;
    if (a.similarity() < kAlike) return;
    const Extension title = extend(licence.title, text_.numbers, a.begin, true, scratch_);
    const Extension tail = extend(licence.tail, text_.numbers, a.end, false, scratch_);
    candidate.begin = title.place;
    candidate.end = tail.place;
    candidate.score =
        a.matched - 2.0 * (a.missing + a.added) - 0.05 * a.names + 0.5 * (title.score + tail.score);
    candidates_.push_back(std::move(candidate));
  }

  std::string name(const Candidate& candidate) const {
    const Template& licence = fingerprints_.texts()[candidate.text];
    const double similarity = candidate.alignment.similarity();
    const size_t length = licence.body.size();
    if (similarity >= (length < kShort ? kNamedShort : kNamed) &&
        !changed(fingerprints_, licence, candidate.alignment, text_.words)) {
      return licence.expression;
    }
    return length >= kAlikeLength ? std::string(kUnknownLicense) : std::string();
  }

  const Fingerprints& fingerprints_;
  const Compared& text_;
  std::vector<uint8_t> tries_;
  std::vector<Candidate> candidates_;
  AlignScratch scratch_;
};

}  // namespace

std::vector<TextMatch> find_texts(const Fingerprints& fingerprints,
                                  const std::vector<Word>& words) {
  const Compared text = compared(fingerprints, words);
  std::vector<Chain> chains = ChainBuilder(fingerprints).run(text.numbers);
  if (chains.empty()) return {};
  Chooser chooser(fingerprints, text);
  chooser.align_best(chains);
  std::vector<TextMatch> matches = chooser.choose();
  const auto first = [&](uint32_t& word) {
    word = static_cast<uint32_t>(text.words[word] - words.data());
  };
  const auto last = [&](uint32_t& word) {
    word = static_cast<uint32_t>(text.words[word - 1] - words.data()) + 1;
  };
  for (TextMatch& match : matches) {
    first(match.begin);
    first(match.body_begin);
    last(match.end);
    last(match.body_end);
  }
  return matches;
}

}  // namespace llmtool::license
