#include "lib/corpus/dedup/piece_hasher.h"

#include <algorithm>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"

namespace llmtool {
namespace {

bool is_graphic(char c) {
  return c > ' ' && c < 0x7f;
}

bool is_shorter(std::string_view text, uint64_t characters) {
  if (characters == 0) return false;
  const bool has_ends = !text.empty() && is_graphic(text.front()) && is_graphic(text.back());
  if (!has_ends) text = stripped(text);
  if (text.size() >= 4 * characters) return false;
  const auto count = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return static_cast<uint64_t>(count) < characters;
}

}  // namespace

uint64_t PieceHasher::seed_of(const Document& document) const {
  if (options_.scope == "all") return options_.seed;
  std::string_view place = document.path;
  if (options_.scope == "folder") {
    const size_t slash = place.rfind('/');
    place = slash == place.npos ? std::string_view() : place.substr(0, slash);
  }
  return XXH3_64bits_withSeed(place.data(), place.size(), options_.seed);
}

uint64_t PieceHasher::hash_of(std::string_view text, uint64_t seed) {
  if (options_.normalisation != Normalisation::kNone) {
    normalised_.clear();
    append_normalised(normalised_, text, options_.normalisation);
    text = normalised_;
  }
  const uint64_t hash = XXH3_64bits_withSeed(text.data(), text.size(), seed);
  return hash == kExempt ? 1 : hash;
}

void PieceHasher::hash(const Document& document, std::vector<uint64_t>& hashes) {
  const uint64_t seed = seed_of(document);
  if (!options_.key.empty()) {
    hashes.push_back(hash_of(required_member(document, options_.key).text, seed));
    return;
  }
  const std::string_view text = document.text;
  const auto add = [&](size_t begin, size_t end) {
    const auto content = text.substr(begin, end - begin);
    const bool exempt = is_shorter(content, options_.min_chars);
    hashes.push_back(exempt ? kExempt : hash_of(content, seed));
  };
  if (options_.unit == TextUnit::kLine || options_.unit == TextUnit::kParagraph) {
    for_each_text_line(text, add);
    return;
  }
  cut_text(text, options_.unit, pieces_);
  for (const TextPiece& piece : pieces_) add(piece.content, piece.content_end);
}

}  // namespace llmtool
