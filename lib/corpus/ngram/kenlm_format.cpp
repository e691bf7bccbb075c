#include "lib/corpus/ngram/kenlm_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr std::string_view kMagicBeforeVersion = "mmap lm http://kheafield.com/code format version";
constexpr std::string_view kMagic = "mmap lm http://kheafield.com/code format version 5\n";
constexpr std::string_view kIncomplete = "mmap lm http://kheafield.com/code incomplete\n";
constexpr size_t kMagicBytes = 56;  // with its NULs, a multiple of 8
constexpr size_t kSanityBytes = kMagicBytes + 3 * 4 + 3 * 4 + 8;
constexpr size_t kFixedBytes = 20;
constexpr float kMaxMultiplier = 1000;

// What the numbers of the writer's machine look like.
std::string sanity() {
  std::string s(kMagic);
  s.resize(kMagicBytes, '\0');
  const auto put = [&](auto value) {
    s.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(0.0f);
  put(1.0f);
  put(-0.5f);
  put(uint32_t{1});
  put(std::numeric_limits<uint32_t>::max());
  put(uint32_t{0});
  put(uint64_t{1});
  LLMTOOL_ASSERT(s.size() == kSanityBytes);
  return s;
}

bool begins_with(std::span<const std::byte> file, std::string_view text) {
  return file.size() >= text.size() && std::memcmp(file.data(), text.data(), text.size()) == 0;
}

void check_sanity(std::span<const std::byte> file, const fs::path& path) {
  const std::string expected = sanity();
  if (begins_with(file, expected)) return;
  check(!begins_with(file, kIncomplete), Fault::kInput, path.string(),
        ": this KenLM binary was not finished by its writer");
  check(begins_with(file, kMagic), Fault::kInput, path.string(),
        ": a KenLM binary of another version; expected version 5");
  fail(Fault::kInput, concat(path.string(),
                             ": a KenLM binary of another machine or cut short: its "
                             "test values are not those of this machine"));
}

const char* name_of(KenlmKind kind) {
  constexpr const char* kNames[] = {"probing",    "probing with rest costs",
                                    "trie",       "quantised trie",
                                    "array trie", "quantised array trie"};
  return kNames[static_cast<uint32_t>(kind)];
}

void check_header(const KenlmHeader& h, uint64_t file_bytes, const fs::path& path) {
  const std::string file = path.string();
  check(h.kind != KenlmKind::kRestProbing, Fault::kInput, file,
        ": a model with rest costs (build_binary -r), which is not read here; build it again "
        "without -r, or give the ARPA file");
  const uint32_t version = h.kind == KenlmKind::kProbing ? 0 : 1;
  check(h.search_version == version, Fault::kInput, file, ": a ", name_of(h.kind),
        " model of version ", h.search_version, ", expected ", version);
  // Not-a-number fails both.
  check(h.probing_multiplier >= 1 && h.probing_multiplier <= kMaxMultiplier, Fault::kInput, file,
        ": probing multiplier ", h.probing_multiplier, ", expected 1 to ", kMaxMultiplier);
  for (size_t n = 0; n < h.counts.size(); ++n) {
    check(h.counts[n] <= file_bytes, Fault::kInput, file, ": ", h.counts[n], " ", n + 1,
          "-grams in a file of ", file_bytes, " bytes");
  }
  check(h.counts[0] < std::numeric_limits<uint32_t>::max(), Fault::kInput, file, ": ", h.counts[0],
        " words, more than there are numbers for");
}

}  // namespace

size_t KenlmHeader::bytes() const {
  return (kSanityBytes + kFixedBytes + 8 * counts.size() + 7) / 8 * 8;
}

std::string kenlm_header(const KenlmHeader& header) {
  std::string s = sanity();
  s.resize(header.bytes(), '\0');
  auto* at = reinterpret_cast<std::byte*>(s.data()) + kSanityBytes;
  store_value(at, static_cast<uint8_t>(header.order()));
  store_value(at + 4, header.probing_multiplier);
  store_value(at + 8, static_cast<uint32_t>(header.kind));
  store_value(at + 12, static_cast<uint8_t>(header.has_words));
  store_value(at + 16, header.search_version);
  for (const uint64_t count : header.counts) {
    store_value(at + kFixedBytes, count);
    at += sizeof count;
  }
  return s;
}

bool is_kenlm_binary(std::span<const std::byte> file) {
  return begins_with(file, kMagicBeforeVersion) || begins_with(file, kIncomplete);
}

KenlmHeader parse_kenlm_header(std::span<const std::byte> file, const fs::path& path) {
  check_sanity(file, path);
  check(file.size() >= kSanityBytes + kFixedBytes, Fault::kInput, path.string(), ": ", file.size(),
        " bytes, too short for the header of a KenLM binary");
  const std::byte* at = file.data() + kSanityBytes;
  const auto order = load_value<uint8_t>(at);
  check(order >= 2 && order <= kMaxNgramOrder, Fault::kInput, path.string(), ": order ", int{order},
        ", expected 2 to ", kMaxNgramOrder);
  KenlmHeader header;
  header.probing_multiplier = load_value<float>(at + 4);
  const auto kind = load_value<uint32_t>(at + 8);
  check(kind <= 5, Fault::kInput, path.string(), ": model type ", kind, ", expected 0 to 5");
  header.kind = static_cast<KenlmKind>(kind);
  header.has_words = load_value<uint8_t>(at + 12) != 0;
  header.search_version = load_value<uint32_t>(at + 16);
  header.counts.resize(order);
  check(file.size() >= header.bytes(), Fault::kInput, path.string(), ": ", file.size(),
        " bytes, too short for the header of a KenLM binary");
  std::memcpy(header.counts.data(), at + kFixedBytes, 8 * header.counts.size());
  check_header(header, file.size(), path);
  return header;
}

uint64_t kenlm_word_key(std::string_view word) {
  constexpr uint64_t kM = 0xc6a4a7935bd1e995ULL;
  constexpr int kR = 47;
  const auto* at = reinterpret_cast<const std::byte*>(word.data());
  uint64_t h = word.size() * kM;
  size_t left = word.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t k = load_value<uint64_t>(at) * kM;
    k = (k ^ (k >> kR)) * kM;
    h = (h ^ k) * kM;
  }
  if (left > 0) {
    uint64_t tail = 0;
    for (size_t i = 0; i < left; ++i) tail |= std::to_integer<uint64_t>(at[i]) << (8 * i);
    h = (h ^ tail) * kM;
  }
  h = (h ^ (h >> kR)) * kM;
  return h ^ (h >> kR);
}

bool is_unknown_word(std::string_view word) {
  return word == "<unk>" || word == "<UNK>";
}

}  // namespace llmtool
