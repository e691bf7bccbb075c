#include <array>
#include <cmath>

#include "lib/corpus/pii/scan.h"

namespace llmtool::pii {
namespace {

constexpr size_t kShortest = 20;
constexpr double kEntropy = 3.5;  // bits a character
constexpr size_t kLongestBlock = 16384;

bool is_key_char(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '+' || c == '/';
}

// What a provider's tokens begin with, and how many characters of [A-Za-z0-9_-] follow.
struct TokenForm {
  std::string_view prefix;
  size_t at_least, at_most;
  bool alnum_only;
};
constexpr TokenForm kForms[] = {
    {"AKIA", 16, 16, true},       {"ASIA", 16, 16, true},          {"ghp_", 36, 255, true},
    {"gho_", 36, 255, true},      {"ghu_", 36, 255, true},         {"ghs_", 36, 255, true},
    {"ghr_", 36, 255, true},      {"github_pat_", 36, 255, false}, {"glpat-", 20, 64, false},
    {"xoxb-", 20, 255, false},    {"xoxp-", 20, 255, false},       {"xoxa-", 20, 255, false},
    {"xoxr-", 20, 255, false},    {"xoxs-", 20, 255, false},       {"xapp-", 20, 255, false},
    {"AIza", 35, 35, false},      {"sk_live_", 16, 255, true},     {"rk_live_", 16, 255, true},
    {"sk_test_", 16, 255, true},  {"pk_live_", 16, 255, true},     {"sk-ant-", 32, 255, false},
    {"sk-proj-", 32, 255, false}, {"sk-", 40, 64, true},           {"hf_", 30, 64, true},
    {"npm_", 36, 36, true},       {"ya29.", 20, 255, false},       {"dop_v1_", 64, 64, true},
};

double entropy(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts[static_cast<uint8_t>(c)];
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

// A token of a provider at i; its end, or npos.
size_t token_end(std::string_view text, size_t i) {
  for (const TokenForm& form : kForms) {
    if (text[i] != form.prefix[0] || text.substr(i, form.prefix.size()) != form.prefix) continue;
    const size_t begin = i + form.prefix.size();
    size_t end = begin;
    bool digit = false, capital = false;
    while (end - begin <= form.at_most &&
           (is_alnum(at(text, end)) ||
            (!form.alnum_only && (at(text, end) == '_' || at(text, end) == '-')))) {
      digit = digit || is_digit(text[end]);
      capital = capital || is_upper(text[end]);
      ++end;
    }
    const size_t length = end - begin;
    if (length < form.at_least || length > form.at_most || !(digit || capital)) continue;
    return end;
  }
  return text.npos;
}

size_t run_end(std::string_view text, size_t i) {
  while (is_alnum(at(text, i)) || at(text, i) == '_' || at(text, i) == '-') ++i;
  return i;
}

// header.payload.signature, of which the first two are JSON objects in base64url.
size_t web_token_end(std::string_view text, size_t i) {
  if (text.substr(i, 3) != "eyJ") return text.npos;
  const size_t header = run_end(text, i);
  if (header - i < 16 || text.substr(header, 4) != ".eyJ") return text.npos;
  const size_t payload = run_end(text, header + 1);
  if (at(text, payload) != '.') return text.npos;
  const size_t end = run_end(text, payload + 1);
  return end - payload > 16 ? end : text.npos;
}

// SG.<22>.<43>, of which i is the beginning of the middle.
size_t sendgrid_end(std::string_view text, size_t i) {
  if (i < 3 || text.substr(i - 3, 3) != "SG.") return text.npos;
  const size_t middle = run_end(text, i);
  if (middle - i != 22 || at(text, middle) != '.') return text.npos;
  const size_t end = run_end(text, middle + 1);
  return end - middle == 44 ? end : text.npos;
}

// A PEM block whose BEGIN line with "PRIVATE KEY" ends at most 160 bytes before i.
bool find_private_key(std::string_view text, size_t i, size_t floor, Spans& spans) {
  const size_t start = std::max(floor, i > 200 ? i - 200 : 0);
  const std::string_view head = text.substr(start, i - start);
  const size_t title = head.rfind("PRIVATE KEY");
  if (title == head.npos) return false;
  const size_t begin = head.rfind("-----BEGIN ", title);
  if (begin == head.npos || head.find("-----END", begin) != head.npos) return false;
  const std::string_view body = text.substr(i, kLongestBlock);
  const size_t close = body.find("-----END ");
  size_t end = 0;
  if (close == body.npos) {
    while (end < body.size() && (is_key_char(body[end]) || body[end] == '=' || body[end] == '\n' ||
                                 body[end] == '\r' || body[end] == '\\')) {
      ++end;
    }
  } else {
    const size_t dashes = body.find("-----", close + 9);
    end = dashes == body.npos || dashes - close > 64 ? close : dashes + 5;
  }
  spans.push_back({start + begin, i + end, PiiKind::kKey});
  return true;
}

bool names_a_secret(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "secret",     "token",      "apikey",        "password",   "passwd",
      "passphrase", "pwd",        "accesskey",     "privatekey", "authkey",
      "bearer",     "credential", "encryptionkey", "signingkey", "authorization"};
  for (const std::string_view known : kNames) {
    if (name.find(known) != name.npos) return true;
  }
  return false;
}

bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

// name = "value", name: value, "name" => 'value', Bearer value; i is where the value begins.
bool is_assigned(std::string_view text, size_t i) {
  if (is_quote(before(text, i))) --i;
  const size_t value = i;
  while (i > 0 && value - i < 4 && text[i - 1] == ' ') --i;
  if (i >= 6 && value > i &&
      (text.substr(i - 6, 6) == "Bearer" || text.substr(i - 6, 6) == "bearer")) {
    return true;
  }
  if (before(text, i) == '>') --i;
  const char sign = before(text, i);
  if (sign != '=' && sign != ':') return false;
  --i;
  if (before(text, i) == ':') --i;
  while (i > 0 && value - i < 10 && text[i - 1] == ' ') --i;
  if (is_quote(before(text, i)) || before(text, i) == ']') --i;
  if (is_quote(before(text, i))) --i;
  char name[48];
  size_t length = 0;
  const size_t end = i;
  while (
      i > 0 && end - i < sizeof(name) &&
      (is_alnum(text[i - 1]) || text[i - 1] == '_' || text[i - 1] == '-' || text[i - 1] == '.')) {
    --i;
  }
  for (size_t k = i; k < end; ++k) {
    if (is_alnum(text[k])) name[length++] = lower(text[k]);
  }
  return length > 0 && names_a_secret({name, length});
}

// A random value: both letters and digits, no long path of words, enough entropy.
bool looks_random(std::string_view value) {
  size_t digits = 0, letters = 0, capitals = 0, slashes = 0;
  for (const char c : value) {
    digits += is_digit(c);
    letters += is_letter(c);
    capitals += is_upper(c);
    slashes += c == '/';
  }
  if (digits < (value.size() < 32 ? 2 : 1) || letters < 2 || slashes * 8 > value.size())
    return false;
  const bool mixed = (capitals > 0 && capitals < letters) || digits * 6 >= value.size();
  return mixed && entropy(value) >= kEntropy;
}

size_t assigned_end(std::string_view text, size_t begin, size_t end) {
  while (at(text, end) == '=' || at(text, end) == '.') {
    if (at(text, end) == '.' && !is_key_char(at(text, end + 1))) break;
    ++end;
    while (is_key_char(at(text, end))) ++end;
  }
  if (end - begin < kShortest || end - begin > 1024 || at(text, end) == '(') return text.npos;
  if (!is_assigned(text, begin) || !looks_random(text.substr(begin, end - begin))) return text.npos;
  return end;
}

// [begin, end): a run of characters that keys are made of. Returns where to go on.
size_t look_at(std::string_view text, size_t begin, size_t end, size_t floor, Spans& spans) {
  if (end - begin >= 32 && find_private_key(text, begin, floor, spans)) return spans.back().end;
  for (size_t i = begin; i < end; ++i) {
    if (i > begin && (is_alnum(text[i - 1]) || text[i - 1] == '_')) continue;
    size_t stop = token_end(text, i);
    if (stop == text.npos) stop = web_token_end(text, i);
    size_t start = i;
    if (stop == text.npos) {
      stop = sendgrid_end(text, i);
      if (stop != text.npos) start = i - 3;
    }
    if (stop == text.npos) continue;
    spans.push_back({start, stop, PiiKind::kKey});
    return std::max(stop, end);
  }
  const size_t stop = assigned_end(text, begin, end);
  if (stop == text.npos) return end;
  spans.push_back({begin, stop, PiiKind::kKey});
  return stop;
}

uint64_t key_chars(const char* p) {
  uint64_t bits = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i c = detail::load(p + part * 16);
    const __m128i dash_to_slash = _mm_andnot_si128(
        detail::equal(c, '.'), _mm_or_si128(detail::in_range(c, '-', '/'), detail::equal(c, '+')));
    const __m128i found = _mm_or_si128(_mm_or_si128(detail::digits(c), detail::letters(c)),
                                       _mm_or_si128(dash_to_slash, detail::equal(c, '_')));
    bits |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(found))} << (part * 16);
  }
  return bits;
}

// Bit i of the result: bits i to i + 15 are set.
uint64_t sixteen_in_a_row(uint64_t bits) {
  for (const int step : {1, 2, 4, 8}) bits &= bits >> step;
  return bits;
}

// Behind a run of 16 key characters from `i` on; npos if there is none.
size_t next_run(std::string_view text, size_t i) {
  constexpr size_t kStep = 64 - 15;
  for (; i + 64 <= text.size(); i += kStep) {
    const uint64_t found = sixteen_in_a_row(key_chars(text.data() + i));
    if (found != 0) return i + static_cast<size_t>(__builtin_ctzll(found));
  }
  char tail[64] = {};
  if (i >= text.size()) return text.npos;
  text.copy(tail, sizeof(tail), i);
  const uint64_t found = sixteen_in_a_row(key_chars(tail));
  return found == 0 ? text.npos : i + static_cast<size_t>(__builtin_ctzll(found));
}

}  // namespace

void find_keys(std::string_view text, Spans& spans) {
  size_t floor = 0;
  for (size_t i = next_run(text, 0); i != text.npos; i = next_run(text, floor)) {
    size_t begin = i, end = i + 16;
    while (begin > floor && is_key_char(text[begin - 1])) --begin;
    while (is_key_char(at(text, end))) ++end;
    floor = look_at(text, begin, end, floor, spans);
  }
}

}  // namespace llmtool::pii
