#include "lib/text/text_normalizer.h"

#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

PieceTrie symbols_of(const SentencePieceModel& model) {
  std::vector<PieceTrie::Key> keys;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    if (piece.kind != PieceKind::kUserDefined) continue;
    keys.push_back({piece.text, static_cast<int32_t>(id)});
  }
  return PieceTrie(std::move(keys));
}

// Whether c stays as it is, whatever ASCII character follows.
bool is_plain(char c, const Charsmap& rules, const PieceTrie& symbols) {
  const auto byte = static_cast<unsigned char>(c);
  if (symbols.may_start(byte)) return false;
  if (!rules.may_start(byte)) return true;
  if (rules.longest({&c, 1}).length > 0) return false;
  for (int next = 0; next < 0x80; ++next) {
    const char pair[] = {c, static_cast<char>(next)};
    if (rules.continues({pair, 2})) return false;
  }
  return true;
}

}  // namespace

TextNormalizer::TextNormalizer(const SentencePieceModel& model)
    : squeeze_(model.remove_extra_whitespaces),
      escape_(model.escape_whitespaces),
      space_in_front_(model.add_dummy_prefix && !model.space_as_suffix),
      space_behind_(model.add_dummy_prefix && model.space_as_suffix) {
  if (!model.charsmap.empty()) rules_ = Charsmap(model.charsmap);
  // Without rules and squeezing there is nothing that symbols could be kept from.
  if (!model.charsmap.empty() || squeeze_) symbols_ = symbols_of(model);
  for (size_t c = 0; c < 256; ++c) {
    const auto byte = static_cast<unsigned char>(c);
    starts_[c] = rules_.may_start(byte) || symbols_.may_start(byte);
    plain_[c] =
        c < 0x80 && !(squeeze_ && c == ' ') && is_plain(static_cast<char>(byte), rules_, symbols_);
  }
}

TextNormalizer::Prefix TextNormalizer::prefix_of(std::string_view text) const {
  const auto first = static_cast<unsigned char>(text[0]);
  if (starts_[first]) {
    if (symbols_.may_start(first)) {
      const size_t length = symbols_.longest(text).length;
      if (length > 0) return {text.substr(0, length), length};
    }
    const Charsmap::Match match = rules_.longest(text);
    if (match.length > 0) return {match.replacement, match.length};
  }
  const size_t length = valid_character_length(text);
  if (length == 0) return {kReplacementCharacter, 1};
  return {text.substr(0, length), length};
}

// The end of the bytes from `at` on that are copied as they are.
size_t TextNormalizer::end_of_plain(std::string_view text, size_t at) const {
  size_t end = at;
  while (end < text.size() && plain_[static_cast<unsigned char>(text[end])]) ++end;
  // The last one may combine with what follows.
  const bool open = end > at && end < text.size() && static_cast<signed char>(text[end]) < 0;
  return open && starts_[static_cast<unsigned char>(text[end - 1])] ? end - 1 : end;
}

void TextNormalizer::append(std::string_view text, std::string& out) const {
  if (!escape_ || text.find(kSpaceSymbol[0]) == text.npos) {
    out += text;
  } else {
    out += replace_all(text, kSpaceSymbol, " ");
  }
}

void TextNormalizer::normalize(std::string_view text, std::string& out) const {
  out.clear();
  if (squeeze_) {
    while (!text.empty()) {
      const Prefix prefix = prefix_of(text);
      if (prefix.text != " ") break;
      text.remove_prefix(prefix.length);
    }
  }
  if (text.empty()) return;
  if (space_in_front_) out += ' ';
  bool after_space = squeeze_;  // spaces that follow are surplus
  for (size_t at = 0; at < text.size();) {
    const size_t plain = end_of_plain(text, at);
    if (plain > at) {
      out.append(text, at, plain - at);
      after_space = false;
      at = plain;
      continue;
    }
    Prefix prefix = prefix_of(text.substr(at));
    at += prefix.length;
    while (after_space && prefix.text.starts_with(' ')) prefix.text.remove_prefix(1);
    if (prefix.text.empty()) continue;
    append(prefix.text, out);
    after_space = squeeze_ && prefix.text.ends_with(' ');
  }
  if (squeeze_) out.resize(out.find_last_not_of(' ') + 1);
  if (space_behind_) out += ' ';
}

}  // namespace llmtool
