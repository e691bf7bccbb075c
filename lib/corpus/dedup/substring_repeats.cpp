#include "lib/corpus/dedup/substring_repeats.h"

#include <algorithm>

#include "lib/base/error.h"

namespace llmtool {
namespace {

// A stretch of text that repeats the one at `source`.
struct Repeat {
  uint64_t begin, end, source;

  auto operator<=>(const Repeat&) const = default;
  uint64_t sort_prefix() const { return begin; }
};

// A region whose windows have to be looked at one by one.
struct Region {
  uint64_t begin;
  uint32_t bytes, windows;

  auto operator<=>(const Region&) const = default;
  uint64_t sort_prefix() const { return begin; }
};

struct Window {
  uint64_t hash[2];
  uint64_t begin, end;

  auto operator<=>(const Window&) const = default;
  uint64_t sort_prefix() const { return hash[0]; }
};

template <class Record>
class RecordFile {
 public:
  explicit RecordFile(const fs::path& path) : path_(path), file_(path) {}
  void add(const Record& record) { file_.write(&record, sizeof(record)); }
  const fs::path& done() {
    file_.commit();
    return path_;
  }

 private:
  fs::path path_;
  AtomicFile file_;
};

// Text of the index and of the run, by one count of bytes.
class WholeText {
 public:
  WholeText(const fs::path& text, const SubstringIndex* index) {
    if (index != nullptr) parts_ = index->segments();
    base_ = index == nullptr ? 0 : index->text_bytes();
    auto file = std::make_shared<PositionedFile>(PositionedFile::open(text));
    const uint64_t end = base_ + file->size();
    parts_.push_back({std::move(file), base_, end});
  }

  uint64_t base() const { return base_; }  // where the text of the run begins

  uint64_t end_of_part(uint64_t place) const { return part_at(place).end; }

  // [begin, end) lies in one part.
  void read(uint64_t begin, uint64_t end, std::string& bytes) const {
    const auto& part = part_at(begin);
    check(end <= part.end && begin <= end, Fault::kInput, "an index of substrings points to byte ",
          end, ", expected at most ", part.end, ": it is damaged");
    bytes.resize(end - begin);
    part.text->read(begin - part.begin, bytes.data(), bytes.size());
  }

 private:
  const SubstringIndex::Segment& part_at(uint64_t place) const {
    const auto part = std::upper_bound(parts_.begin(), parts_.end(), place,
                                       [](uint64_t at, const auto& p) { return at < p.end; });
    check(part != parts_.end(), Fault::kInput, "an index of substrings points to byte ", place,
          ", expected less than ", parts_.back().end, ": it is damaged");
    return *part;
  }

  std::vector<SubstringIndex::Segment> parts_;
  uint64_t base_ = 0;
};

class RepeatFinder {
  static constexpr size_t kMostPieces = 4096;  // a longer run is settled in parts, which overlap

 public:
  RepeatFinder(const RepeatFiles& files, const SubstringRule& rule, const SubstringIndex* index,
               const SortPlace& place)
      : files_(files),
        rule_(rule),
        index_(index),
        place_(place),
        text_(files.text, index),
        repeats_(place.folder / "repeats.found"),
        regions_(place.folder / "regions.found") {}

  RepeatCounts run() {
    compare_regions();
    compare_windows();
    settle();
    for (const char* name : {"repeats.found", "regions.found", "windows.found"}) {
      fs::remove(place_.folder / name);
    }
    return counts_;
  }

 private:
  struct HashGroup {  // anchors of one hash, region after region
    bool started = false, several = false;
    Anchor first{}, last{};       // of the current region
    std::vector<Region> waiting;  // to be looked at once there are several regions: at most two
  };

  void compare_regions();
  void take(const Anchor& anchor);
  void begin_region(const Anchor& anchor);
  void end_region();
  void end_hash();
  void look_later(const Anchor& anchor);
  void has_several();
  void compare_windows();
  void list_windows(const Region& region, RecordFile<Window>& windows);
  void take(const Window& window);
  void end_window_group();
  void settle();
  void settle_run(RecordFile<ByteRange>& out);
  bool equal_units(const Repeat& run);
  bool equal_words(const Repeat& run);
  void emit(RecordFile<ByteRange>& out, uint64_t begin, uint64_t end);
  bool is_new(uint64_t begin) const { return begin >= text_.base(); }

  const RepeatFiles& files_;
  const SubstringRule& rule_;
  const SubstringIndex* index_;
  const SortPlace& place_;
  WholeText text_;
  RollingHash rolling_[2] = {{0x1b873593cc9e2d51, rule_.min_length},
                             {0x05851f42d4c957f3, rule_.min_length}};
  RecordFile<Repeat> repeats_;
  RecordFile<Region> regions_;
  std::unique_ptr<AtomicFile> new_anchors_;
  RepeatCounts counts_;
  HashGroup group_;
  std::vector<Window> same_;  // equal windows: the first, and those that overlap it
  Window last_window_{};
  Repeat run_{};  // repeats that follow each other, at one distance from what they repeat
  std::vector<Repeat> pieces_;  // of the run
  ByteRange settled_{};         // not yet written
  std::string bytes_, source_bytes_;
  UnitList units_, source_units_;
};

void RepeatFinder::compare_regions() {
  if (!files_.new_anchors.empty()) new_anchors_ = std::make_unique<AtomicFile>(files_.new_anchors);
  const auto sink = [&](std::span<const Anchor> anchors) {
    for (const Anchor& anchor : anchors) take(anchor);
  };
  if (index_ == nullptr || index_->anchors().empty()) {
    external_sort<Anchor>(files_.anchors, place_, sink);
  } else {
    const fs::path sorted = place_.folder / "anchors.sorted";
    external_sort<Anchor>(files_.anchors, sorted, place_);
    std::vector<fs::path> all = index_->anchors();
    all.push_back(sorted);
    merge_sorted_files<Anchor>(all, place_.memory, sink);
    fs::remove(sorted);
  }
  end_region();
  end_hash();
  if (new_anchors_ != nullptr) new_anchors_->commit();
}

void RepeatFinder::take(const Anchor& anchor) {
  counts_.anchors += is_new(anchor.begin);
  const bool same_hash = group_.started && group_.first.hash == anchor.hash;
  const bool same_region = same_hash && group_.first.region[0] == anchor.region[0] &&
                           group_.first.region[1] == anchor.region[1] &&
                           group_.first.windows == anchor.windows;
  if (!same_region) {
    end_region();
    if (!same_hash) end_hash();
    begin_region(anchor);
    return;
  }
  group_.last = anchor;
  if (group_.first.begin + group_.first.bytes > anchor.begin) {
    has_several();  // it overlaps the first: window by window
    look_later(anchor);
  } else if (is_new(anchor.begin)) {
    ++counts_.copies;
    repeats_.add({anchor.begin, anchor.begin + anchor.bytes, group_.first.begin});
  }
}

void RepeatFinder::begin_region(const Anchor& anchor) {
  if (group_.started) has_several();
  group_.started = true;
  group_.first = group_.last = anchor;
  look_later(anchor);
  if (new_anchors_ != nullptr && is_new(anchor.begin)) {
    new_anchors_->write(&anchor, sizeof(anchor));
  }
}

void RepeatFinder::end_region() {
  if (!group_.started || rule_.keep_first) return;
  const Anchor& first = group_.first;
  const Anchor& last = group_.last;
  if (first.begin + first.bytes > last.begin) return;  // looked at window by window
  look_later(last);
  if (is_new(first.begin)) {
    repeats_.add({first.begin, first.begin + first.bytes, last.begin});
  }
}

void RepeatFinder::look_later(const Anchor& anchor) {
  const Region region{anchor.begin, anchor.bytes, anchor.windows};
  if (group_.several) {
    regions_.add(region);
  } else {
    group_.waiting.push_back(region);
  }
}

void RepeatFinder::has_several() {
  for (const Region& region : group_.waiting) regions_.add(region);
  group_.waiting.clear();
  group_.several = true;
}

void RepeatFinder::end_hash() {
  group_.waiting.clear();
  group_.started = group_.several = false;
}

void RepeatFinder::compare_windows() {
  RecordFile<Window> windows(place_.folder / "windows.found");
  external_sort<Region>(regions_.done(), place_, [&](std::span<const Region> regions) {
    for (const Region& region : regions) list_windows(region, windows);
  });
  external_sort<Window>(windows.done(), place_, [&](std::span<const Window> sorted) {
    for (const Window& window : sorted) take(window);
  });
  end_window_group();
}

void RepeatFinder::list_windows(const Region& region, RecordFile<Window>& windows) {
  const size_t length = rule_.min_length;
  text_.read(region.begin, region.begin + region.bytes, bytes_);
  list_units(bytes_, 0, bytes_.size(), rule_.unit, units_);
  check(units_.size() == region.windows + length - 1, Fault::kInput,
        "an index of substrings has other text at byte ", region.begin,
        " than its anchors: it is damaged");
  uint64_t hash[2] = {0, 0};
  for (size_t i = 0; i < units_.size(); ++i) {
    const uint64_t in = units_.values[i];
    for (int k = 0; k < 2; ++k) {
      hash[k] = i < length ? rolling_[k].pushed(hash[k], in)
                           : rolling_[k].rolled(hash[k], in, units_.values[i - length]);
    }
    if (i + 1 < length) continue;
    ++counts_.windows;
    windows.add({{hash[0], hash[1]},
                 region.begin + units_.begins[i + 1 - length],
                 region.begin + units_.ends[i]});
  }
}

void RepeatFinder::take(const Window& window) {
  if (!same_.empty() &&
      (same_[0].hash[0] != window.hash[0] || same_[0].hash[1] != window.hash[1])) {
    end_window_group();
  }
  last_window_ = window;
  if (same_.empty() || window.begin < same_[0].end) {
    same_.push_back(window);
  } else if (is_new(window.begin)) {
    repeats_.add({window.begin, window.end, same_[0].begin});
  }
}

void RepeatFinder::end_window_group() {
  if (!rule_.keep_first) {
    for (const Window& window : same_) {
      if (window.end <= last_window_.begin && is_new(window.begin)) {
        repeats_.add({window.begin, window.end, last_window_.begin});
      }
    }
  }
  same_.clear();
}

// Puts repeats at one distance from their source together, compares them with it, and writes what
// they cover.
void RepeatFinder::settle() {
  RecordFile<ByteRange> out(files_.repeats);
  run_ = {};
  external_sort<Repeat>(repeats_.done(), place_, [&](std::span<const Repeat> repeats) {
    for (const Repeat& repeat : repeats) {
      const bool goes_on = pieces_.size() < kMostPieces && repeat.begin < run_.end &&
                           repeat.begin - run_.begin == repeat.source - run_.source;
      if (goes_on) {
        run_.end = std::max(run_.end, repeat.end);
        pieces_.push_back(repeat);
        continue;
      }
      settle_run(out);
      run_ = repeat;
      pieces_ = {repeat};
    }
  });
  settle_run(out);
  emit(out, ~uint64_t{0}, ~uint64_t{0});
  out.done();
}

void RepeatFinder::settle_run(RecordFile<ByteRange>& out) {
  if (run_.begin == run_.end) return;
  if (equal_units(run_)) return emit(out, run_.begin, run_.end);
  // Words at one distance in bytes may be shifted by a word, where the white space has another
  // length and the text repeats itself: then only each piece is equal to its source.
  for (const Repeat& piece : pieces_) {
    if (pieces_.size() > 1 && equal_units(piece)) {
      emit(out, piece.begin, piece.end);
    } else {
      counts_.refused += piece.end - piece.begin;
    }
  }
}

void RepeatFinder::emit(RecordFile<ByteRange>& out, uint64_t begin, uint64_t end) {
  if (begin <= settled_.end) {
    settled_.end = std::max(settled_.end, end);
    return;
  }
  if (settled_.begin < settled_.end) {
    counts_.bytes += settled_.end - settled_.begin;
    out.add({settled_.begin - text_.base(), settled_.end - text_.base()});
  }
  settled_ = {begin, end};
}

bool RepeatFinder::equal_units(const Repeat& run) {
  text_.read(run.begin, run.end, bytes_);
  if (rule_.unit == SubstringUnit::kWords) return equal_words(run);
  text_.read(run.source, run.source + bytes_.size(), source_bytes_);
  return bytes_ == source_bytes_;
}

// The white space between the words may have another length than in the source.
bool RepeatFinder::equal_words(const Repeat& run) {
  list_units(bytes_, 0, bytes_.size(), rule_.unit, units_);
  const uint64_t end = text_.end_of_part(run.source);
  for (uint64_t length = bytes_.size() + 256;; length *= 2) {
    const uint64_t stop = std::min(end, run.source + length);
    text_.read(run.source, stop, source_bytes_);
    list_units(source_bytes_, 0, units_.size() + 1, rule_.unit, source_units_);
    if (source_units_.size() > units_.size() || stop == end) break;
  }
  if (source_units_.size() < units_.size()) return false;
  const auto word = [](const std::string& bytes, const UnitList& units, size_t i) {
    return std::string_view(bytes).substr(units.begins[i], units.ends[i] - units.begins[i]);
  };
  for (size_t i = 0; i < units_.size(); ++i) {
    if (word(bytes_, units_, i) != word(source_bytes_, source_units_, i)) return false;
  }
  return true;
}

}  // namespace

RepeatCounts find_repeats(const RepeatFiles& files, const SubstringRule& rule,
                          const SubstringIndex* index, const SortPlace& place) {
  return RepeatFinder(files, rule, index, place).run();
}

}  // namespace llmtool
