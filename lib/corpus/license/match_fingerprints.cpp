#include "lib/corpus/license/match_fingerprints.h"

#include <algorithm>
#include <cstring>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {
namespace {

constexpr std::string_view kMagic = "LICENSE1";
constexpr uint64_t kLargest = 64 << 20;  // bytes, unpacked
constexpr size_t kWordTable = 1 << 15;
constexpr size_t kSketchBits = 1 << 20;
constexpr size_t kLongText = 600;     // words; of longer ones a quarter of the grams is kept
constexpr uint16_t kSlotMark = 1;     // among the words of a body
constexpr uint16_t kFirstNumber = 2;  // of a word

std::string unpack(std::string_view compressed) {
  const unsigned long long size = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  check(size != ZSTD_CONTENTSIZE_ERROR && size != ZSTD_CONTENTSIZE_UNKNOWN && size <= kLargest,
        Fault::kInput, "licence fingerprints: not one zstd frame of a known size under 64 MiB");
  std::string bytes(size, '\0');
  const size_t got =
      ZSTD_decompress(bytes.data(), bytes.size(), compressed.data(), compressed.size());
  check(got == size, Fault::kInput, "licence fingerprints: the zstd frame is damaged");
  return bytes;
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(size_t size) {
    check(size <= bytes_.size() - at_, Fault::kInput, "licence fingerprints: end at byte ",
          static_cast<unsigned long>(bytes_.size()), ", more was expected");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  bool done() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

std::vector<uint16_t> take_words(Cursor& cursor, size_t size, size_t words) {
  const std::string_view bytes = cursor.take(size * sizeof(uint16_t));
  std::vector<uint16_t> numbers(size);
  if (size > 0) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  for (const uint16_t number : numbers) {
    check(number >= kSlotMark && number < words + kFirstNumber, Fault::kInput,
          "licence fingerprints: word number ", static_cast<int>(number), " does not exist");
  }
  return numbers;
}

// A body without its slot marks, which go to slot.
void take_slots(Template& text) {
  const std::vector<uint16_t> marked = std::move(text.body);
  text.body.clear();
  text.slot.assign(1, 0);
  for (const uint16_t number : marked) {
    if (number == kSlotMark) {
      text.slot.back() = 1;
    } else {
      text.body.push_back(number);
      text.slot.push_back(0);
    }
  }
}

uint64_t key_of(const uint16_t* words) {
  uint64_t key;
  std::memcpy(&key, words, sizeof key);
  return key;
}

uint64_t mixed(uint64_t key) {
  key ^= key >> 29;
  key *= 0xBF58476D1CE4E5B9u;
  key ^= key >> 32;
  key *= 0x94D049BB133111EBu;
  return key ^ key >> 29;
}

}  // namespace

Fingerprints::Fingerprints(std::string_view compressed) {
  read(unpack(compressed));
  index();
}

void Fingerprints::read(std::string_view bytes) {
  Cursor cursor(bytes);
  check(bytes.size() > kMagic.size() && cursor.take(kMagic.size()) == kMagic, Fault::kInput,
        "licence fingerprints: do not begin with ", kMagic);
  const auto words = cursor.number<uint32_t>();
  const auto texts = cursor.number<uint32_t>();
  const auto size = cursor.number<uint32_t>();
  check(words < kWordTable / 2 && texts < 0x10000, Fault::kInput,
        "licence fingerprints: too many words or texts");
  number_words(cursor.take(size), words);
  texts_.reserve(texts);
  for (uint32_t i = 0; i < texts; ++i) {
    Template& text = texts_.emplace_back();
    text.expression = cursor.take(cursor.number<uint8_t>());
    uint32_t sizes[3];
    for (uint32_t& part : sizes) part = cursor.number<uint32_t>();
    text.title = take_words(cursor, sizes[0], words);
    text.body = take_words(cursor, sizes[1], words);
    text.tail = take_words(cursor, sizes[2], words);
    take_slots(text);
    check(text.body.size() >= kGram, Fault::kInput, "licence fingerprints: ", text.expression,
          " has no text");
  }
  check(cursor.done(), Fault::kInput, "licence fingerprints: bytes behind the last text");
}

void Fingerprints::number_words(std::string_view words, size_t count) {
  hashes_.assign(kFirstNumber, 0);
  numbers_.assign(kWordTable, 0);
  for (size_t at = 0; hashes_.size() < count + kFirstNumber;) {
    const size_t end = std::min(words.find('\n', at), words.size());
    check(at < words.size(), Fault::kInput, "licence fingerprints: words are missing");
    const uint64_t hash = word_hash(words.substr(at, end - at));
    size_t slot = hash % kWordTable;
    while (numbers_[slot] != 0) slot = (slot + 1) % kWordTable;
    numbers_[slot] = (hash & ~uint64_t{0xFFFF}) | hashes_.size();
    hashes_.push_back(hash);
    at = end + 1;
  }
}

uint16_t Fingerprints::number_of(uint64_t hash) const {
  for (size_t slot = hash % kWordTable; numbers_[slot] != 0; slot = (slot + 1) % kWordTable) {
    if (((numbers_[slot] ^ hash) & ~uint64_t{0xFFFF}) == 0) return numbers_[slot] & 0xFFFF;
  }
  return 0;
}

// Of a gram that many texts share only a part is kept, by its hash, so that boilerplate costs no
// more than it says; likewise of a long text, where a part is enough.
void Fingerprints::index() {
  struct Gram {
    uint64_t key;
    Posting posting;
  };
  std::vector<Gram> grams;
  for (size_t t = 0; t < texts_.size(); ++t) {
    const std::vector<uint16_t>& body = texts_[t].body;
    const bool is_long = body.size() > kLongText;
    for (size_t i = 0; i + kGram <= body.size(); ++i) {
      const uint64_t key = key_of(&body[i]);
      if (is_long && mixed(key) % 4 != 0) continue;
      grams.push_back({key,
                       {static_cast<uint16_t>(t), static_cast<uint16_t>(is_long ? 4 : 1),
                        static_cast<uint32_t>(i)}});
    }
  }
  std::sort(grams.begin(), grams.end(), [](const Gram& a, const Gram& b) {
    if (a.key != b.key) return a.key < b.key;
    return a.posting.text != b.posting.text ? a.posting.text < b.posting.text
                                            : a.posting.at < b.posting.at;
  });
  sketch_.assign(kSketchBits / 64, 0);
  size_t capacity = 1024;
  while (capacity < grams.size() * 3 / 2) capacity *= 2;
  slots_.assign(capacity, {});
  for (size_t i = 0, end; i < grams.size(); i = end) {
    for (end = i + 1; end < grams.size() && grams[end].key == grams[i].key;) ++end;
    const size_t count = end - i;
    const uint16_t thin = count > 32 ? 8 : count > 12 ? 2 : 1;
    if ((mixed(grams[i].key) >> 8) % thin != 0) continue;
    insert(grams[i].key, static_cast<uint32_t>(postings_.size()), static_cast<uint32_t>(count));
    for (size_t k = i; k < end; ++k) {
      Posting posting = grams[k].posting;
      posting.weight = static_cast<uint16_t>(std::max(posting.weight * thin, 1));
      postings_.push_back(posting);
    }
  }
}

void Fingerprints::insert(uint64_t key, uint32_t first, uint32_t count) {
  const uint64_t hash = mixed(key);
  sketch_[hash % kSketchBits / 64] |= uint64_t{1} << (hash % 64);
  size_t slot = hash >> 20 & (slots_.size() - 1);
  while (slots_[slot].count != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {key, first, count};
}

Fingerprints::Postings Fingerprints::find(const uint16_t* words) const {
  const uint64_t key = key_of(words);
  const uint64_t hash = mixed(key);
  if ((sketch_[hash % kSketchBits / 64] >> (hash % 64) & 1) == 0) return {};
  for (size_t slot = hash >> 20 & (slots_.size() - 1); slots_[slot].count != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].key == key) {
      const Posting* first = postings_.data() + slots_[slot].first;
      return {first, first + slots_[slot].count};
    }
  }
  return {};
}

}  // namespace llmtool::license
