#include <array>

#include "lib/corpus/pii/scan.h"

namespace llmtool::pii {
namespace {

// Lengths of IBANs by country (the registry of SWIFT, ISO 13616).
constexpr std::string_view kIbanLengths =
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 "
    "NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 "
    "TR26 UA29 VA22 VG24 XK20";

size_t iban_length(char a, char b) {
  for (size_t i = 0; i + 3 < kIbanLengths.size(); i += 5) {
    if (kIbanLengths[i] == a && kIbanLengths[i + 1] == b) {
      return static_cast<size_t>((kIbanLengths[i + 2] - '0') * 10 + (kIbanLengths[i + 3] - '0'));
    }
  }
  return 0;
}

bool checks_out(std::string_view iban) {
  unsigned remainder = 0;
  for (size_t k = 0; k < iban.size(); ++k) {
    const char c = iban[(k + 4) % iban.size()];
    const auto value = static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'A' + 10);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder == 1;
}

// The IBAN at i, plain or with single spaces between groups; its end, or npos.
size_t iban_end(std::string_view text, size_t i) {
  const size_t length = iban_length(text[i], at(text, i + 1));
  std::array<char, 34> letters{};
  size_t count = 0;
  while (count < length) {
    const char c = at(text, i);
    if (is_digit(c) || is_upper(c)) {
      letters[count++] = c;
    } else if (c != ' ' || count < 4 || text[i - 1] == ' ') {
      return text.npos;
    }
    ++i;
  }
  if (length == 0 || is_alnum(at(text, i))) return text.npos;
  return checks_out({letters.data(), length}) ? i : text.npos;
}

bool has_right_luhn_digit(std::string_view digits) {
  int sum = 0;
  for (size_t k = 0; k < digits.size(); ++k) {
    int value = digits[digits.size() - 1 - k] - '0';
    if (k % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return sum % 10 == 0;
}

// Visa, Mastercard, American Express, Discover, JCB, Diners, UnionPay by prefix and length.
bool is_issued(std::string_view d) {
  const int two = (d[0] - '0') * 10 + (d[1] - '0');
  const int four = two * 100 + (d[2] - '0') * 10 + (d[3] - '0');
  if (d[0] == '4') return d.size() == 13 || d.size() == 16 || d.size() == 19;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return d.size() == 16;
  if (two == 34 || two == 37) return d.size() == 15;
  if (four == 6011 || two == 65 || (four >= 6440 && four <= 6499)) return d.size() == 16;
  if (four >= 3528 && four <= 3589) return d.size() == 16;
  if ((four >= 3000 && four <= 3059) || two == 36 || two == 38) return d.size() == 14;
  return two == 62 && d.size() >= 16;
}

// i: the first digit of a run. Returns where to go on.
size_t look_at_card(std::string_view text, size_t i, Spans& spans) {
  const char left = before(text, i);
  if (is_alnum(left) || left == '_' || left == '.' || left == '-' || left == '+') return i + 1;
  std::array<char, 20> digits{};
  size_t count = 0, end = i, groups = 1;
  char separator = '\0';
  while (count < digits.size()) {
    const char c = at(text, end);
    if (is_digit(c)) {
      digits[count++] = c;
    } else if ((c == ' ' || c == '-') && is_digit(at(text, end + 1)) &&
               (separator == '\0' || c == separator)) {
      separator = c;
      ++groups;
    } else {
      break;
    }
    ++end;
  }
  const char right = at(text, end);
  const std::string_view number(digits.data(), count);
  const bool grouped = groups == 1 || (groups >= 3 && groups <= 5);
  if (count < 13 || count > 19 || !grouped || is_alnum(right) || right == '_' ||
      (right == '.' && is_digit(at(text, end + 1)))) {
    return i + 1;
  }
  if (!is_issued(number) || !has_right_luhn_digit(number)) return i + 1;
  spans.push_back({i, end, PiiKind::kCard});
  return end;
}

}  // namespace

void find_ibans(std::string_view text, Spans& spans) {
  using namespace detail;
  const auto look_at = [&](size_t i) {  // i: the second letter, a digit behind it
    if (!is_upper(text[i - 1]) || (i >= 2 && is_alnum(text[i - 2]))) return i + 1;
    const size_t end = iban_end(text, i - 1);
    if (end == text.npos) return i + 1;
    spans.push_back({i - 1, end, PiiKind::kIban});
    return end;
  };
  each_candidate(
      text,
      [](__m128i left, __m128i here, __m128i right) {
        return _mm_and_si128(digits(right),
                             _mm_and_si128(in_range(left, 'A', 'Z'), in_range(here, 'A', 'Z')));
      },
      look_at);
}

void find_cards(std::string_view text, Spans& spans) {
  size_t resume = 1;
  if (!text.empty() && is_digit(text[0])) resume = look_at_card(text, 0, spans);
  each_candidate(
      text,
      [](__m128i left, __m128i here, __m128i) {
        return _mm_andnot_si128(detail::digits(left), detail::digits(here));
      },
      [&](size_t i) { return i < resume ? i + 1 : look_at_card(text, i, spans); });
}

}  // namespace llmtool::pii
