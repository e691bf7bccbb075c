#include "lib/corpus/stats_step.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/corpus/distinct_estimate.h"
#include "lib/text/document_sample.h"

namespace llmtool {
namespace {

// More are counted together: in order, so that it does not depend on the threads which.
constexpr size_t kMostDomains = size_t{1} << 20;
constexpr const char* kOtherDomains = "(others)";

enum Measured : size_t { kBytes, kCharacters, kWords, kLines, kTokens };

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

struct Lengths {
  uint64_t characters = 0, words = 0, lines = 0;
};

Lengths lengths_of(std::string_view text) {
  Lengths n;
  bool in_word = false;
  for (const char c : text) {
    n.characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    n.lines += c == '\n';
    const bool space = is_space(c);
    n.words += !space && !in_word;
    in_word = !space;
  }
  n.lines += !text.empty() && text.back() != '\n';
  return n;
}

std::string domain_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t user = url.rfind('@');
  if (user != url.npos) url.remove_prefix(user + 1);
  const size_t address = url.starts_with('[') ? url.find(']') : 0;  // IPv6 has colons of its own
  url = url.substr(0, url.find(':', address));
  std::string host(url);
  for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return host.starts_with("www.") && host.find('.', 4) != host.npos ? host.substr(4) : host;
}

// What the log keeps of each document, followed by the domain.
struct Entry {
  uint64_t text_hash = 0, id_hash = 0, has_id = 0;
  uint64_t words = 0, characters = 0, lines = 0, tokens = 0, bytes = 0;
  uint64_t domain_size = 0;
};

class StatsStep final : public Step {
 public:
  explicit StatsStep(const StatsOptions& options) : options_(options) {}

  std::string name() const override { return "stats"; }

  std::vector<Figure> figures() const override {
    constexpr double kMost = 1e7;
    std::vector<Figure> figures;
    for (const char* what : {"bytes", "characters", "words", "lines", "tokens"}) {
      figures.push_back({what, Figure::Scale::kLog, 1, kMost, {}, {}});
    }
    if (!options_.tokenizer) figures.pop_back();
    return figures;
  }

  void start(StepResources& resources) override {
    log_ = &resources.log("documents");
    ids_.resize(static_cast<size_t>(resources.threads));
    const MappedFile log(log_->path());
    const char* at = reinterpret_cast<const char*>(log.bytes().data());
    const char* const end = at + log.bytes().size();
    while (at < end) {
      Entry entry;
      std::memcpy(&entry, at, sizeof entry);
      at += sizeof entry;
      count(entry, std::string(at, entry.domain_size));
      at += entry.domain_size;
    }
  }

  void work(Document& document, Tally& tally, int thread) override {
    const Lengths n = lengths_of(document.text);
    uint64_t tokens = 0;
    if (options_.tokenizer) {
      auto& ids = ids_[static_cast<size_t>(thread)];
      ids.clear();
      options_.tokenizer->encode(document.text, ids);
      tokens = ids.size();
      tally.record(kTokens, static_cast<double>(tokens), document);
    }
    tally.record(kBytes, static_cast<double>(document.text.size()), document);
    tally.record(kCharacters, static_cast<double>(n.characters), document);
    tally.record(kWords, static_cast<double>(n.words), document);
    tally.record(kLines, static_cast<double>(n.lines), document);
    document.keys = {document_hash(document.text, 0),
                     document_hash(document.id, 0),
                     n.words,
                     n.characters,
                     n.lines,
                     tokens};
  }

  bool in_order() const override { return true; }

  void decide(Document& document, Tally&) override {
    const auto& k = document.keys;
    const MemberValue url = url_of(document);
    const std::string domain = url.found ? domain_of(url.text) : std::string();
    const Entry entry{k[0], k[1], !document.id.empty(), k[2],         k[3],
                      k[4], k[5], document.text.size(), domain.size()};
    log_->append(&entry, sizeof entry);
    log_->append(domain.data(), domain.size());
    count(entry, domain);
  }

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts = {fact("documents", documents_), fact("bytes of text", sum_.bytes),
                               fact("characters", sum_.characters), fact("words", sum_.words),
                               fact("lines", sum_.lines)};
    if (options_.tokenizer) {
      facts.push_back(fact("tokens", sum_.tokens));
      facts.push_back(ratio("bytes a token", sum_.bytes, sum_.tokens));
    }
    facts.push_back(ratio("words a document", sum_.words, documents_));
    facts.push_back(distinct("distinct texts, estimated", texts_, documents_));
    facts.push_back(fact("documents with an id", ids_seen_));
    if (ids_seen_ > 0) {
      facts.push_back(distinct("distinct ids, estimated", distinct_ids_, ids_seen_));
    }
    for (const auto& [domain, documents] : top_domains()) {
      facts.push_back(fact_in("domains", fact(domain, documents)));
    }
    return facts;
  }

 private:
  static Fact ratio(std::string name, uint64_t a, uint64_t b) {
    const double value = static_cast<double>(a) / static_cast<double>(b);  // NaN is null in JSON
    return fact(std::move(name), value, b == 0 ? "-" : formatted("%.4g", value));
  }

  static Fact distinct(std::string name, const DistinctEstimate& estimate, uint64_t all) {
    const double count = std::round(std::min(estimate.count(), static_cast<double>(all)));
    const double share = all == 0 ? 0.0 : 100 * count / static_cast<double>(all);
    return fact(std::move(name), count, formatted("%.0f (%.1f%%)", count, share));
  }

  void count(const Entry& entry, const std::string& domain) {
    ++documents_;
    texts_.add(entry.text_hash);
    if (entry.has_id != 0) {
      ++ids_seen_;
      distinct_ids_.add(entry.id_hash);
    }
    sum_.bytes += entry.bytes;
    sum_.words += entry.words;
    sum_.characters += entry.characters;
    sum_.lines += entry.lines;
    sum_.tokens += entry.tokens;
    if (domain.empty()) return;
    const bool has_room = domains_.size() < kMostDomains || domains_.contains(domain);
    ++domains_[has_room ? domain : kOtherDomains];
  }

  std::vector<std::pair<std::string, uint64_t>> top_domains() const {
    std::vector<std::pair<std::string, uint64_t>> all(domains_.begin(), domains_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    all.resize(std::min<size_t>(all.size(), options_.top_domains));
    return all;
  }

  StatsOptions options_;
  AppendLog* log_ = nullptr;
  std::vector<std::vector<int32_t>> ids_;  // of the tokenizer, one a thread
  uint64_t documents_ = 0, ids_seen_ = 0;
  Entry sum_;
  DistinctEstimate texts_, distinct_ids_;
  std::unordered_map<std::string, uint64_t> domains_;
};

}  // namespace

std::unique_ptr<Step> make_stats_step(const StatsOptions& options) {
  return std::make_unique<StatsStep>(options);
}

}  // namespace llmtool
