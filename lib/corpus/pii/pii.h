// Personal data and secrets in a text, found by scanners that read each byte once for every kind
// and look at a bounded stretch around what may be one.
//
//   email   local@domain.tld: atext of RFC 5322 with single inner dots, Latin letters too; labels
//           of letters, digits and inner hyphens; a top-level domain of letters (or xn--). Not: the
//           user of an SSH or HTTP address (git@host:path, https://user@host), image@2x.png.
//   ip      IPv4 in four decimal octets without leading zeros, IPv6 as inet_pton reads it. Only
//           addresses of the public internet unless private_addresses. Not: part of a longer dotted
//           number, behind "v" or a word such as "version"; fewer than eight digits count only
//           behind a word such as "ip" or "http".
//   phone   +country code and 8 to 15 digits in groups (a code that ITU-T E.164 assigns); North
//           American (212) 555-0143, 212-555-0143, 212.555.0143; behind a word such as "tel" or
//           "call us at" any 7 to 15 digits in groups. Not: dates, ISBN, parts of longer numbers.
//   key     tokens of AWS, GitHub, GitLab, Slack, Google, Stripe, OpenAI, Anthropic, Hugging Face,
//           npm, SendGrid; JSON Web Tokens; PEM private keys; and values of 20 and more characters
//           with letters, digits and at least 3.5 bits of entropy a character that a name such as
//           api_key, secret, token or password is set to, or that follow "Bearer".
//   iban    country, two check digits, the length of that country, mod 97 = 1 (ISO 13616).
//   card    13 to 19 digits, plain or in groups, with the prefix of a card network and a right
//           Luhn digit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

enum class PiiKind : uint8_t { kEmail, kIp, kPhone, kKey, kIban, kCard };
inline constexpr size_t kPiiKinds = 6;

std::string_view name_of(PiiKind kind);    // "email"
std::string_view phrase_of(PiiKind kind);  // "e-mail addresses"

struct PiiSpan {
  size_t begin = 0, end = 0;  // bytes
  PiiKind kind = PiiKind::kEmail;

  bool operator==(const PiiSpan&) const = default;
};

struct PiiChoice {
  bool kinds[kPiiKinds] = {true, true, true, true, false, false};
  bool private_addresses = false;

  bool has(PiiKind kind) const { return kinds[static_cast<size_t>(kind)]; }
};

// "email,ip": Fault::kUsage for an unknown name.
PiiChoice pii_choice(const std::vector<std::string>& names);

// In order, without overlaps: of two that overlap the one that begins first stands, of these the
// longest, of these the first of key, card, iban, phone, ip, email.
std::vector<PiiSpan> find_pii(std::string_view text, const PiiChoice& choice = {});

}  // namespace llmtool
