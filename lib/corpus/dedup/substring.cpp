#include "lib/corpus/dedup/substring.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "lib/base/error.h"
#include "lib/corpus/dedup/substring_repeats.h"
#include "lib/text/tokenizer.h"

namespace llmtool {
namespace {

// Where the text of a document begins in the log of texts.
struct DocumentPlace {
  uint64_t index, begin;
};

// A part of the searched text of a document that goes.
struct Cut {
  uint64_t index, begin, end;
};

constexpr const char* kTexts = "texts";
constexpr const char* kAnchors = "anchors";
constexpr const char* kPlaces = "documents";
constexpr const char* kCuts = "cuts.bin";
constexpr const char* kCounts = "counts.bin";
constexpr const char* kIndexRuns = "index_runs";
constexpr const char* kNewAnchors = "new_anchors.bin";

template <class Record>
std::span<const Record> records_of(const MappedFile& file) {
  return {reinterpret_cast<const Record*>(file.bytes().data()),
          file.bytes().size() / sizeof(Record)};
}

// What both passes share.
struct Shared {
  explicit Shared(const SubstringOptions& o) : options(o) {
    check(o.rule.min_length > 0, Fault::kUsage, "--min-length is 0, expected at least 1");
    const bool tokens = o.rule.unit == SubstringUnit::kTokens;
    check(tokens == !o.tokenizer.empty(), Fault::kUsage,
          tokens ? "--unit tokens needs --tokenizer" : "--tokenizer needs --unit tokens");
    if (tokens) tokenizer = load_tokenizer(o.tokenizer);
    if (!o.index.empty()) {
      index.emplace(o.index, o.rule, tokenizer == nullptr ? "" : tokenizer->checksum());
    }
  }

  // The text of a document as it is searched: its bytes, or its ids.
  std::string_view searched(const std::string& text, std::string& ids_as_bytes) const {
    if (tokenizer == nullptr) return text;
    const std::vector<int32_t> ids = tokenizer->encode(text);
    ids_as_bytes.assign(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t));
    return ids_as_bytes;
  }

  // A run that goes on sees the index as it was when the run began.
  void settle_index(const fs::path& folder) {
    if (!index) return;
    const fs::path file = folder / kIndexRuns;
    if (!fs::exists(file)) write_file(file, std::to_string(index->segments().size()));
    index->use_first(std::stoul(read_file(file)));
  }

  SubstringOptions options;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<SubstringIndex> index;
};

// The first pass: logs the texts and their anchors.
class SubstringObserver : public Step {
 public:
  explicit SubstringObserver(Shared& shared) : shared_(shared) {}

  std::string name() const override { return "dedup substring"; }
  bool in_order() const override { return true; }

  void start(StepResources& resources) override {
    shared_.settle_index(resources.folder);
    texts_ = &resources.log(kTexts);
    anchors_ = &resources.log(kAnchors);
    places_ = &resources.log(kPlaces);
    base_ = shared_.index ? shared_.index->text_bytes() : 0;
    finders_.assign(static_cast<size_t>(resources.threads), AnchorFinder(shared_.options.rule));
  }

  void work(Document& document, Tally&, int thread) override {
    std::string ids;
    std::vector<Anchor> anchors;
    finders_[static_cast<size_t>(thread)].find(shared_.searched(document.text, ids), anchors);
    document.keys.resize(anchors.size() * kWords);
    if (anchors.empty()) return;
    std::memcpy(document.keys.data(), anchors.data(), anchors.size() * sizeof(Anchor));
  }

  void decide(Document& document, Tally&) override {
    const uint64_t begin = texts_->size();
    std::vector<Anchor> anchors(document.keys.size() / kWords);
    if (!anchors.empty()) {
      std::memcpy(anchors.data(), document.keys.data(), anchors.size() * sizeof(Anchor));
    }
    for (Anchor& anchor : anchors) anchor.begin += base_ + begin;
    std::string ids;
    const std::string_view text = shared_.searched(document.text, ids);
    texts_->append(text.data(), text.size());
    texts_->append("\n", 1);
    anchors_->append(anchors.data(), anchors.size() * sizeof(Anchor));
    const DocumentPlace place{document.index, begin};
    places_->append(&place, sizeof(place));
    document.keys.clear();
  }

 private:
  static constexpr size_t kWords = sizeof(Anchor) / sizeof(uint64_t);

  Shared& shared_;
  uint64_t base_ = 0;
  AppendLog *texts_ = nullptr, *anchors_ = nullptr, *places_ = nullptr;
  std::vector<AnchorFinder> finders_;
};

// Repeats by their place in all texts become cuts by their place in each document.
void write_cuts(const fs::path& repeats_path, const fs::path& places_path, const fs::path& cuts) {
  const MappedFile repeats_file(repeats_path), places_file(places_path);
  const auto places = records_of<DocumentPlace>(places_file);
  AtomicFile out(cuts);
  size_t at = 0;
  for (const ByteRange& range : records_of<ByteRange>(repeats_file)) {
    while (at + 1 < places.size() && places[at + 1].begin <= range.begin) ++at;
    const Cut cut{places[at].index, range.begin - places[at].begin, range.end - places[at].begin};
    out.write(&cut, sizeof(cut));
  }
  out.commit();
}

class SubstringDedup : public Step {
 public:
  explicit SubstringDedup(const SubstringOptions& options) : shared_(options), observer_(shared_) {}

  std::string name() const override { return "dedup substring"; }
  std::vector<StepFile> files() const override {
    return {{StepFile::Use::kGrown, shared_.options.index}};
  }
  Step* observer() override { return &observer_; }

  std::vector<Figure> figures() const override {
    Figure share, left;
    share.name = "repeated_share";
    left.name = "bytes_left";
    left.scale = Figure::Scale::kLog;
    left.low = 1;
    left.high = 1e6;
    left.at_least = static_cast<double>(shared_.options.min_bytes);
    return {share, left};
  }

  void conclude(StepResources& resources) override;
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;
  void finish(StepResources& resources) override;
  std::vector<Fact> facts() const override;

 private:
  std::vector<ByteRange> cuts_of(const Document& document) const;

  Shared shared_;
  SubstringObserver observer_;
  std::unique_ptr<MappedFile> cuts_;
  RepeatCounts counts_;
};

void SubstringDedup::conclude(StepResources& resources) {
  shared_.settle_index(resources.folder);
  const auto flushed = [&](const char* name) {
    AppendLog& log = resources.log(name);
    log.flush();
    return log.path();
  };
  const RepeatFiles files{flushed(kTexts), flushed(kAnchors), resources.folder / "repeats.bin",
                          shared_.index ? resources.folder / kNewAnchors : fs::path()};
  const SortPlace place{resources.folder, resources.memory / 2, resources.pool};
  const RepeatCounts counts =
      find_repeats(files, shared_.options.rule, shared_.index ? &*shared_.index : nullptr, place);
  write_cuts(files.repeats, flushed(kPlaces), resources.folder / kCuts);
  write_file(resources.folder / kCounts, {reinterpret_cast<const char*>(&counts), sizeof(counts)});
  fs::remove(files.repeats);
}

void SubstringDedup::start(StepResources& resources) {
  shared_.settle_index(resources.folder);
  cuts_ = std::make_unique<MappedFile>(resources.folder / kCuts);
  const std::string counts = read_file(resources.folder / kCounts);
  LLMTOOL_ASSERT(counts.size() == sizeof(counts_));
  std::memcpy(&counts_, counts.data(), sizeof(counts_));
}

// Where the tokens begin in the text, and its end. The first may bring a space of its own.
std::vector<uint64_t> token_places(const Document& document, const Tokenizer& tokenizer) {
  const std::vector<int32_t> ids = tokenizer.encode(document.text);
  std::vector<uint64_t> places{0};
  for (const int32_t id : ids) {
    places.push_back(places.back() + tokenizer.piece_bytes(id).size());
  }
  const uint64_t added = places.back() - document.text.size();
  const bool alike = added == 0 || (added == 1 && !ids.empty() &&
                                    tokenizer.piece_bytes(ids[0]).substr(0, 1) == " ");
  if (!alike) {
    fail(Fault::kInput,
         concat(where(document), ": the tokenizer does not give the text back: ",
                document.text.size(), " bytes became ", places.back()),
         "a tokenizer that normalises text cannot say where its tokens are; use --unit words");
  }
  for (size_t i = 1; i < places.size(); ++i) places[i] -= added;
  return places;
}

// Bytes of the text that go, in whole characters; between words with the white space behind.
std::vector<ByteRange> SubstringDedup::cuts_of(const Document& document) const {
  const auto all = records_of<Cut>(*cuts_);
  const auto first = std::lower_bound(all.begin(), all.end(), document.index,
                                      [](const Cut& c, uint64_t index) { return c.index < index; });
  std::vector<ByteRange> cuts;
  for (auto cut = first; cut != all.end() && cut->index == document.index; ++cut) {
    cuts.push_back({cut->begin, cut->end});
  }
  const std::string_view text = document.text;
  const SubstringUnit unit = shared_.options.rule.unit;
  if (unit == SubstringUnit::kTokens && !cuts.empty()) {
    const std::vector<uint64_t> places = token_places(document, *shared_.tokenizer);
    const auto place = [&](uint64_t at) { return places[std::min(at / 4, places.size() - 1)]; };
    for (ByteRange& cut : cuts) cut = {place(cut.begin), place(cut.end)};
  }
  const auto inside = [&](uint64_t i) {
    return i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80;
  };
  for (ByteRange& cut : cuts) {
    check(cut.begin <= cut.end && cut.end <= text.size(), Fault::kInput, where(document),
          ": the text ends at byte ", text.size(), ", in the first pass it went on to ", cut.end,
          ": the input changed meanwhile");
    while (inside(cut.begin) && cut.begin < cut.end) ++cut.begin;
    while (inside(cut.end) && cut.begin < cut.end) --cut.end;
    if (unit == SubstringUnit::kWords) cut.end = skip_space(text, cut.end);
  }
  std::erase_if(cuts, [](const ByteRange& cut) { return cut.begin == cut.end; });
  return cuts;
}

void SubstringDedup::work(Document& document, Tally& tally, int) {
  const std::vector<ByteRange> cuts = cuts_of(document);
  const std::string_view text = document.text;
  std::string kept, gone;
  uint64_t done = 0;
  for (const ByteRange& cut : cuts) {
    kept += text.substr(done, cut.begin - done);
    if (!gone.empty()) gone += '\n';
    gone += text.substr(cut.begin, cut.end - cut.begin);
    done = cut.end;
  }
  if (cuts.empty()) {
    tally.record(0, 0, document);
    return;
  }
  kept += text.substr(done);
  // White space alone is no text.
  if (shared_.options.min_bytes > 0 && skip_space(kept, 0) == kept.size()) kept.clear();
  const uint64_t bytes = text.size() - kept.size();
  tally.record(0, static_cast<double>(bytes) / static_cast<double>(text.size()), document);
  tally.record(1, static_cast<double>(kept.size()), document);
  if (kept.size() < shared_.options.min_bytes) {
    reject(document, "bytes_left", std::to_string(kept.size()),
           concat(">= ", shared_.options.min_bytes));
    return;
  }
  tally.change("repeated substrings", cuts.size(), bytes, gone, document);
  document.text = std::move(kept);
  document.text_changed = true;
}

void SubstringDedup::finish(StepResources& resources) {
  if (!shared_.index) return;
  shared_.index->add(resources.log(kTexts).path(), resources.folder / kNewAnchors);
}

std::vector<Fact> SubstringDedup::facts() const {
  const SubstringRule& rule = shared_.options.rule;
  return {fact("least repeat", concat(rule.min_length, " ", name_of(rule.unit))),
          fact(rule.unit == SubstringUnit::kTokens ? "repeated tokens" : "repeated bytes",
               counts_.bytes / (rule.unit == SubstringUnit::kTokens ? 4 : 1)),
          fact("anchors", counts_.anchors),
          fact("regions that repeat whole", counts_.copies),
          fact("windows compared one by one", counts_.windows),
          fact("bytes with colliding hashes", counts_.refused)};
}

}  // namespace

std::unique_ptr<Step> make_substring_dedup(const SubstringOptions& options) {
  return std::make_unique<SubstringDedup>(options);
}

}  // namespace llmtool
