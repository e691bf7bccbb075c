#include "lib/corpus/pii/pii.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/pii/scan.h"

namespace llmtool {
namespace {

struct KindNames {
  std::string_view name, phrase;
};
constexpr KindNames kNames[kPiiKinds] = {
    {"email", "e-mail addresses"}, {"ip", "IP addresses"}, {"phone", "phone numbers"},
    {"key", "keys and tokens"},    {"iban", "IBANs"},      {"card", "card numbers"},
};

int rank(PiiKind kind) {
  return kind == PiiKind::kKey ? -1 : -static_cast<int>(kind) + static_cast<int>(kPiiKinds);
}

bool goes_first(const PiiSpan& a, const PiiSpan& b) {
  if (a.begin != b.begin) return a.begin < b.begin;
  if (a.end != b.end) return a.end > b.end;
  return rank(a.kind) < rank(b.kind);
}

void drop_overlaps(std::vector<PiiSpan>& spans) {
  std::sort(spans.begin(), spans.end(), goes_first);
  size_t end = 0, kept = 0;
  for (const PiiSpan& span : spans) {
    if (kept > 0 && span.begin < end) continue;
    end = span.end;
    spans[kept++] = span;
  }
  spans.resize(kept);
}

}  // namespace

std::string_view name_of(PiiKind kind) {
  return kNames[static_cast<size_t>(kind)].name;
}

std::string_view phrase_of(PiiKind kind) {
  return kNames[static_cast<size_t>(kind)].phrase;
}

PiiChoice pii_choice(const std::vector<std::string>& names) {
  PiiChoice choice{.kinds = {}};
  for (const std::string& name : names) {
    const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const KindNames& kind) { return kind.name == name; });
    if (found == std::end(kNames)) {
      fail(Fault::kUsage, concat("'", name, "' is no kind of personal data"),
           "kinds are email, ip, phone, key, iban and card");
    }
    choice.kinds[found - kNames] = true;
  }
  return choice;
}

std::vector<PiiSpan> find_pii(std::string_view text, const PiiChoice& choice) {
  std::vector<PiiSpan> spans;
  if (choice.has(PiiKind::kEmail)) pii::find_emails(text, spans);
  if (choice.has(PiiKind::kIp)) pii::find_addresses(text, choice.private_addresses, spans);
  if (choice.has(PiiKind::kPhone)) pii::find_phones(text, spans);
  if (choice.has(PiiKind::kKey)) pii::find_keys(text, spans);
  if (choice.has(PiiKind::kIban)) pii::find_ibans(text, spans);
  if (choice.has(PiiKind::kCard)) pii::find_cards(text, spans);
  if (spans.size() > 1) drop_overlaps(spans);
  return spans;
}

namespace pii {

WordsBefore words_before(std::string_view text, size_t i, size_t count) {
  WordsBefore found;
  size_t used = sizeof(found.letters);
  const size_t start = i > 32 ? i - 32 : 0;
  while (found.count < count && i > start) {
    while (i > start && !is_letter(text[i - 1]) && text[i - 1] != '\n') --i;
    if (i == start || text[i - 1] == '\n') break;
    const size_t end = used;
    while (i > start && is_letter(text[i - 1])) found.letters[--used] = lower(text[--i]);
    found.word[found.count++] = {found.letters + used, end - used};
  }
  return found;
}

}  // namespace pii
}  // namespace llmtool
