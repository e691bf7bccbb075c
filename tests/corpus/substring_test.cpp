#include <algorithm>
#include <cstring>
#include <doctest.h>
#include <map>
#include <numeric>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/corpus/dedup/substring_repeats.h"
#include "tests/fuzz_rounds.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

using Texts = std::vector<std::string>;

struct Found {
  std::vector<std::string> repeated;  // for each text a map of its bytes: 'x' repeats, '.' does not
  RepeatCounts counts;
};

// Through the files and sorts of find_repeats; earlier texts become an index, run by run.
class Search {
 public:
  Search(const SubstringRule& rule, size_t memory = size_t{1} << 20) : rule_(rule) {
    place_ = {folder_.path(), memory, &pool_};
  }

  Found run(const Texts& texts, bool keep = false) {
    const SubstringIndex index(folder_.path() / "index", rule_, "");
    const RepeatFiles files = write(texts, index.text_bytes());
    Found found;
    found.counts = find_repeats(files, rule_, &index, place_);
    found.repeated = read_map(texts, files.repeats);
    if (keep) index.add(files.text, files.new_anchors);
    return found;
  }

 private:
  RepeatFiles write(const Texts& texts, uint64_t base) {
    std::string all;
    std::vector<Anchor> anchors, some;
    AnchorFinder finder(rule_);
    for (const std::string& text : texts) {
      some.clear();
      finder.find(text, some);
      for (Anchor& anchor : some) anchor.begin += base + all.size();
      anchors.insert(anchors.end(), some.begin(), some.end());
      all += text + "\n";
    }
    const RepeatFiles files{folder_.path() / "text", folder_.path() / "anchors",
                            folder_.path() / "repeats", folder_.path() / "new_anchors"};
    write_file(files.text, all);
    write_file(files.anchors,
               {reinterpret_cast<const char*>(anchors.data()), anchors.size() * sizeof(Anchor)});
    return files;
  }

  static std::vector<std::string> read_map(const Texts& texts, const fs::path& path) {
    const std::string bytes = read_file(path);
    std::vector<ByteRange> ranges(bytes.size() / sizeof(ByteRange));
    if (!ranges.empty()) std::memcpy(ranges.data(), bytes.data(), bytes.size());
    std::string all;
    for (const std::string& text : texts) all.append(text.size() + 1, '.');
    uint64_t end = 0;
    for (const ByteRange& range : ranges) {
      CHECK(range.begin >= end);
      CHECK(range.begin < range.end);
      end = range.end;
      all.replace(range.begin, range.end - range.begin, range.end - range.begin, 'x');
    }
    std::vector<std::string> maps;
    size_t at = 0;
    for (const std::string& text : texts) {
      maps.push_back(all.substr(at, text.size()));
      at += text.size() + 1;
    }
    return maps;
  }

  ScratchFolder folder_;
  ThreadPool pool_{2};
  SubstringRule rule_;
  SortPlace place_;
};

// The definition: for every window all others.
std::vector<std::string> by_definition(const Texts& earlier, const Texts& texts,
                                       const SubstringRule& rule) {
  struct Place {
    size_t text, first;  // unit
  };
  Texts all = earlier;
  all.insert(all.end(), texts.begin(), texts.end());
  std::vector<UnitList> units(all.size());
  std::map<std::vector<uint64_t>, std::vector<Place>> windows;
  const size_t length = rule.min_length;
  for (size_t t = 0; t < all.size(); ++t) {
    list_units(all[t], 0, all[t].size(), rule.unit, units[t]);
    for (size_t i = 0; i + length <= units[t].size(); ++i) {
      const auto* values = &units[t].values[i];
      windows[{values, values + length}].push_back({t, i});
    }
  }
  std::vector<std::string> maps;
  for (const std::string& text : all) maps.emplace_back(text.size(), '.');
  const auto is_before = [&](const Place& a, const Place& b) {
    return a.text < b.text || (a.text == b.text && a.first + length <= b.first);
  };
  for (const auto& [values, places] : windows) {
    for (const Place& place : places) {
      const bool repeats = std::any_of(places.begin(), places.end(), [&](const Place& other) {
        return is_before(other, place) || (!rule.keep_first && is_before(place, other));
      });
      if (!repeats) continue;
      const size_t begin = units[place.text].begins[place.first];
      const size_t end = units[place.text].ends[place.first + length - 1];
      maps[place.text].replace(begin, end - begin, end - begin, 'x');
    }
  }
  maps.erase(maps.begin(), maps.begin() + static_cast<long>(earlier.size()));
  return maps;
}

// Bytes that some substring of at least `length` bytes covers which occurs before, by a suffix
// array of the texts with a separator of its own behind each.
std::vector<std::string> by_suffix_array(const Texts& texts, size_t length) {
  std::vector<int> all;
  std::vector<size_t> starts;
  for (size_t t = 0; t < texts.size(); ++t) {
    starts.push_back(all.size());
    for (const char c : texts[t]) all.push_back(static_cast<uint8_t>(c));
    all.push_back(1000 + static_cast<int>(t));
  }
  std::vector<size_t> suffixes(all.size());
  std::iota(suffixes.begin(), suffixes.end(), size_t{0});
  std::sort(suffixes.begin(), suffixes.end(), [&](size_t a, size_t b) {
    return std::lexicographical_compare(all.begin() + static_cast<long>(a), all.end(),
                                        all.begin() + static_cast<long>(b), all.end());
  });
  const auto common = [&](size_t a, size_t b) {
    size_t n = 0;
    while (a + n < all.size() && b + n < all.size() && n < length && all[a + n] == all[b + n]) ++n;
    return n;
  };
  std::string covered(all.size(), '.');
  for (size_t i = 0; i < suffixes.size();) {
    size_t j = i + 1, first = suffixes[i];
    while (j < suffixes.size() && common(suffixes[j - 1], suffixes[j]) >= length) {
      first = std::min(first, suffixes[j++]);
    }
    for (size_t k = i; k < j; ++k) {
      if (first + length <= suffixes[k]) covered.replace(suffixes[k], length, length, 'x');
    }
    i = j;
  }
  std::vector<std::string> maps;
  for (size_t t = 0; t < texts.size(); ++t) {
    maps.push_back(covered.substr(starts[t], texts[t].size()));
  }
  return maps;
}

// Texts of few letters, made of pieces that come again.
Texts repetitive_texts(const Rng& rng, uint64_t at, std::string_view alphabet) {
  uint64_t n = at << 32;
  Texts pieces, texts;
  for (size_t i = 0; i < 4; ++i) {
    std::string piece;
    for (uint64_t k = rng.below(n++, 40); k > 0; --k) {
      piece += alphabet[rng.below(n++, alphabet.size())];
    }
    pieces.push_back(piece);
  }
  for (uint64_t t = 1 + rng.below(n++, 5); t > 0; --t) {
    std::string text;
    for (uint64_t k = rng.below(n++, 6); k > 0; --k) text += pieces[rng.below(n++, pieces.size())];
    texts.push_back(text);
  }
  return texts;
}

}  // namespace

TEST_CASE("substring repeats are those of the definition") {
  const Rng rng(11);
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    SubstringRule rule;
    rule.unit = static_cast<SubstringUnit>(round % 3);
    rule.min_length = 1 + static_cast<size_t>(round) % 13;
    rule.keep_first = round % 5 != 0;
    const std::string_view alphabet = round % 2 == 0 ? "ab" : "ab cd \n";
    const Texts first = repetitive_texts(rng, 2 * static_cast<uint64_t>(round), alphabet);
    const Texts second = repetitive_texts(rng, 2 * static_cast<uint64_t>(round) + 1, alphabet);
    CAPTURE(round);
    Search search(rule, 4096);
    CHECK(search.run(first, true).repeated == by_definition({}, first, rule));
    CHECK(search.run(second, true).repeated == by_definition(first, second, rule));
    Texts both = first;
    both.insert(both.end(), second.begin(), second.end());
    CHECK(search.run(first).repeated == by_definition(both, first, rule));
  }
}

TEST_CASE("substring repeats are those of a suffix array") {
  const Rng rng(12);
  for (int round = 0; round < fuzz_rounds(150); ++round) {
    const SubstringRule rule{SubstringUnit::kBytes, 3 + static_cast<size_t>(round) % 20, true};
    const Texts texts = repetitive_texts(rng, static_cast<uint64_t>(round), "abc");
    CAPTURE(round);
    CHECK(Search(rule).run(texts).repeated == by_suffix_array(texts, rule.min_length));
  }
}

TEST_CASE("text that repeats itself all over costs linear work") {
  const SubstringRule rule{SubstringUnit::kBytes, 100, true};
  const Found same = Search(rule).run({std::string(300'000, 'a')});
  CHECK(same.repeated[0] == std::string(100, '.') + std::string(299'900, 'x'));
  CHECK(same.counts.windows < 1000);
  std::string period;
  while (period.size() < 200'000) period += "abcdefghij";
  CHECK(Search(rule).run({period}).repeated[0].find('x') == 100);

  const Rng rng(13);
  std::string document;
  for (uint64_t i = 0; i < 500; ++i) document += static_cast<char>('a' + rng.below(i, 26));
  const Found copies = Search(rule).run(Texts(3000, document));
  CHECK(copies.repeated[0] == std::string(500, '.'));
  CHECK(copies.repeated[2999] == std::string(500, 'x'));
  CHECK(copies.counts.windows == 0);
}

TEST_CASE("the same repeats at any memory") {
  const Rng rng(14);
  Texts texts;
  for (uint64_t t = 0; t < 60; ++t) {
    std::string text;
    for (uint64_t i = 0; i < 400; ++i) {
      text += concat("w", rng.below(t % 7 << 20 | i, 3000), " ");
      if (i % 50 == t % 50) text += concat("only", t, " ");
    }
    texts.push_back(text);
  }
  const SubstringRule rule{SubstringUnit::kWords, 20, true};
  const Found much = Search(rule, size_t{64} << 20).run(texts);
  const Found little = Search(rule, 4096).run(texts);
  CHECK(much.repeated == little.repeated);
  CHECK(much.repeated == by_definition({}, texts, rule));
  CHECK(much.counts.bytes > 100'000);
  CHECK(much.counts.refused == 0);
}

TEST_CASE("words repeat whatever is between them") {
  const SubstringRule rule{SubstringUnit::kWords, 4, true};
  const Found found = Search(rule).run({"one two\nthree  four five", "0 one\xc2\xa0two three four.",
                                        "one two three\xe3\x80\x80"
                                        "four x"});
  CHECK(found.repeated[1] == std::string(found.repeated[1].size(), '.'));
  CHECK(found.repeated[2] == std::string(20, 'x') + "..");
}

TEST_CASE("an index of another rule is refused") {
  ScratchFolder folder;
  const SubstringRule rule{SubstringUnit::kWords, 50, true};
  write_file(folder.path() / "text", "");
  write_file(folder.path() / "anchors", "");
  SubstringIndex(folder.path() / "i", rule, "")
      .add(folder.path() / "text", folder.path() / "anchors");
  SubstringIndex index(folder.path() / "i", rule, "");
  REQUIRE(index.segments().size() == 1);
  index.use_first(0);
  index.add(folder.path() / "text", folder.path() / "anchors");  // it is there
  CHECK(SubstringIndex(folder.path() / "i", rule, "").segments().size() == 1);
  write_file(folder.path() / "anchors", std::string(sizeof(Anchor), 'x'));
  CHECK_THROWS_AS(index.add(folder.path() / "text", folder.path() / "anchors"), Error);
  CHECK_THROWS_AS(index.use_first(2), Error);
  const SubstringRule other{SubstringUnit::kWords, 51, true};
  CHECK_THROWS_AS(SubstringIndex(folder.path() / "i", other, ""), Error);
  CHECK_THROWS_AS(SubstringIndex(folder.path() / "i", rule, "abc"), Error);
  const fs::path text = folder.path() / "i" / "segment-0.text";
  for (const fs::path& file : {text, folder.path() / "i" / "segment-0.anchors"}) {
    const std::string whole = read_file(file);
    write_file(file, whole + "x");
    CHECK_THROWS_WITH_AS(SubstringIndex(folder.path() / "i", rule, ""),
                         doctest::Contains("the checksum is not that of index.json"), Error);
    write_file(file, whole);
  }
  fs::rename(text, folder.path() / "i" / "away");
  CHECK_THROWS_WITH_AS(SubstringIndex(folder.path() / "i", rule, ""),
                       doctest::Contains("the file is missing"), Error);
  write_file(folder.path() / "i" / "index.json", "{");
  CHECK_THROWS_AS(SubstringIndex(folder.path() / "i", rule, ""), Error);
}
