#include "lib/corpus/pii/pii.h"

#include <doctest.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/corpus/pii/pii_step.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

PiiChoice only(PiiKind kind, bool private_addresses = false) {
  PiiChoice choice{.kinds = {}};
  choice.kinds[static_cast<size_t>(kind)] = true;
  choice.private_addresses = private_addresses;
  return choice;
}

// What is found, joined by "; ".
std::string found(std::string_view text, const PiiChoice& choice) {
  std::string all;
  for (const PiiSpan& span : find_pii(text, choice)) {
    if (!all.empty()) all += "; ";
    all += text.substr(span.begin, span.end - span.begin);
  }
  return all;
}

// The text alone, in the middle, at the end and between long stretches finds the same.
std::string found(std::string_view text, PiiKind kind) {
  const PiiChoice choice = only(kind);
  const std::string alone = found(text, choice);
  for (const size_t pad : {1, 3, 14, 15, 16, 17, 40, 63, 64, 65}) {
    const std::string padding(pad, '\n');
    CHECK_MESSAGE(found(padding + std::string(text), choice) == alone, text);
    CHECK_MESSAGE(found(std::string(text) + padding, choice) == alone, text);
  }
  return alone;
}

}  // namespace

TEST_CASE("e-mail addresses") {
  const PiiKind kind = PiiKind::kEmail;
  CHECK(found("Write to jane.doe@example.org.", kind) == "jane.doe@example.org");
  CHECK(found("<a+b_c@mail.example.co.uk>, (x@y.de)", kind) == "a+b_c@mail.example.co.uk; x@y.de");
  CHECK(found("mailto:info@foo-bar.com?subject=x", kind) == "info@foo-bar.com");
  CHECK(found("to=me@foo.com&cc=you@foo.com", kind) == "me@foo.com; you@foo.com");
  CHECK(found("'o'neil@irish.ie'", kind) == "o'neil@irish.ie");
  CHECK(found("jos\xc3\xa9@correo.es", kind) == "jos\xc3\xa9@correo.es");
  CHECK(found("\xe8\x81\x94\xe7\xb3\xbb"
              "foo@bar.cn\xe3\x80\x82",
              kind) == "foo@bar.cn");
  CHECK(found("a@b.com-c, a@b.com.", kind) == "a@b.com");
  CHECK(found("a@xn--bcher-kva.xn--p1ai", kind) == "a@xn--bcher-kva.xn--p1ai");
  for (const char* near_miss :
       {"@foo", "foo@", "foo@bar", "git@github.com:user/repo.git", "https://user@host.com/x",
        "ssh://me:secret@host.com", "img@2x.png", "react@18.2.0", "a@b.c", "foo@.com", "x.@y.com",
        "user@-foo.com", "@param foo.bar", "3 apples @ store.com", "a@b..com"}) {
    CHECK_MESSAGE(found(near_miss, kind) == "", near_miss);
  }
}

TEST_CASE("addresses of the internet") {
  const PiiKind kind = PiiKind::kIp;
  CHECK(found("from 81.2.69.142, or dns 8.8.4.4:53", kind) == "81.2.69.142; 8.8.4.4");
  CHECK(found("http://93.184.216.34/x and 93.184.216.0/24.", kind) ==
        "93.184.216.34; 93.184.216.0");
  CHECK(found("[2a00:1450:4001:82a::200e]:80", kind) == "2a00:1450:4001:82a::200e");
  CHECK(found("at 2600::, 2001:4860:4860:0:0:0:0:8888.", kind) ==
        "2600::; 2001:4860:4860:0:0:0:0:8888");
  for (const char* near_miss :
       {"192.168.1.1",         "10.0.0.1",        "127.0.0.1",         "172.16.5.4",
        "172.31.255.255",      "169.254.1.1",     "100.64.0.1",        "224.0.0.1",
        "255.255.255.0",       "0.0.0.0",         "198.18.0.1",        "203.0.113.5",
        "version 81.2.69.142", "v81.2.69.142",    "1.2.3.4",           "see 4.2.1.3: x",
        "dpkg 1.15.8.6",       "OID 1.3.101.113", "2.10.0.18-2",       "81.2.69.142.7",
        "256.81.2.69",         "81.02.69.142",    "x81.2.69.142",      "81.2.69",
        "81.2.69.1425",        "12:30:45",        "std::a::b",         "dead::beef",
        "2001:db8::1",         "fe80::1",         "00:1a:2b:3c:4d:5e", "::1",
        "2600:1:2:3:4:5:6:7:8"}) {
    CHECK_MESSAGE(found(near_miss, kind) == "", near_miss);
  }
  CHECK(found("ping 1.1.1.1", kind) == "1.1.1.1");
  CHECK(found("8.8.8.8:53, 1.2.3.0/24", kind) == "8.8.8.8; 1.2.3.0");
  CHECK(found("172.32.10.11 100.128.10.11", kind) == "172.32.10.11; 100.128.10.11");
  CHECK(found("10.0.0.1 fe80::1", only(kind, true)) == "10.0.0.1; fe80::1");
}

TEST_CASE("phone numbers") {
  const PiiKind kind = PiiKind::kPhone;
  CHECK(found("Call (212) 555-0143 now", kind) == "(212) 555-0143");
  CHECK(found("212-555-0143", kind) == "212-555-0143");
  CHECK(found("212.555.0143.", kind) == "212.555.0143");
  CHECK(found("1-800-555-0199 x12", kind) == "1-800-555-0199 x12");
  CHECK(found("+1 (415) 555-2671, +442079460958", kind) == "+1 (415) 555-2671; +442079460958");
  CHECK(found("+44 (0)20 7946 0958", kind) == "+44 (0)20 7946 0958");
  CHECK(found("+49 30 901820 / +86 138 0013 8000", kind) == "+49 30 901820; +86 138 0013 8000");
  CHECK(found("Tel: 020 7946 0958", kind) == "020 7946 0958");
  CHECK(found("phone number is 02079460958", kind) == "02079460958");
  CHECK(found("call us at 5551234567", kind) == "5551234567");
  for (const char* near_miss :
       {"2020-10-12",           "10-12-2020",        "2019.10.12",     "978-0-306-40615-7",
        "ISBN 0-306-40615-2",   "1234567890",        "5551234567",     "order 212-555-01434",
        "212-555-014",          "112-555-0143",      "212-155-0143",   "911-555-0143",
        "+999 1234 5678",       "a+12345678901",     "+12 34",         "1-2-3-4-5-6",
        "212 555 0143",         "0x212-555-0143",    "212-555-0143-9", "~+20191229111838",
        "-33554432, +33554432", "ph) 103.66 582",    "3.141.592.6535", "10,000,000,000",
        "tel 2020-10-12",       "call 7 of 1234567", "12:30-12:45",    "$212-555-0143"}) {
    CHECK_MESSAGE(found(near_miss, kind) == "", near_miss);
  }
}

TEST_CASE("keys and tokens") {
  const PiiKind kind = PiiKind::kKey;
  const std::string random = "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xYz";
  CHECK(found("id AKIAIOSFODNN7EXAMPLE.", kind) == "AKIAIOSFODNN7EXAMPLE");
  CHECK(found("ghp_" + random + " is", kind) == "ghp_" + random);
  CHECK(found("https://x:ghp_" + random + "@github.com", kind) == "ghp_" + random);
  CHECK(found("glpat-" + random.substr(0, 20), kind) == "glpat-" + random.substr(0, 20));
  const std::string slack = "xoxb-123456789012-" + random.substr(0, 24);
  CHECK(found("'" + slack + "'", kind) == slack);
  CHECK(found("AIza" + random.substr(0, 35), kind) == "AIza" + random.substr(0, 35));
  CHECK(found("sk_live_" + random.substr(0, 24), kind) == "sk_live_" + random.substr(0, 24));
  const std::string web =
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
  CHECK(found("token " + web + ",", kind) == web);
  const std::string pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA" + random +
                          "\nabcdEFGH\n-----END RSA PRIVATE KEY-----";
  CHECK(found("x\n" + pem + "\ny", kind) == pem);
  CHECK(found("api_key = \"" + random + "\"", kind) == random);
  CHECK(found("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", kind) ==
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  CHECK(found("\"clientSecret\": \"" + random + "==\"", kind) == random + "==");
  CHECK(found("Authorization: Bearer " + random, kind) == random);
  const std::string no_names[] = {
      random,
      "commit 3f786850e387550fdab836ed7e6dc881de23001b",
      "checksum: " + random,
      "api_key = your_api_key_goes_here_please",
      "token: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "password = get_password_from_environment()",
      "/usr/share/doc/some/long/path/with2/number3s",
      "ghp_short1",
      "AKIAshort",
      "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC",
      "sk-ill-set-of-words-that-is-long-enough-to-be-one",
      "eyJhbGciOiJIUzI1NiJ9 eyJzdWIiOiIxMjM0In0"};
  for (const std::string& near_miss : no_names) {
    CHECK_MESSAGE(found(near_miss, kind) == "", near_miss);
  }
}

TEST_CASE("account and card numbers") {
  CHECK(found("IBAN DE89 3704 0044 0532 0130 00.", PiiKind::kIban) ==
        "DE89 3704 0044 0532 0130 00");
  CHECK(found("GB82WEST12345698765432", PiiKind::kIban) == "GB82WEST12345698765432");
  CHECK(found("GB83WEST12345698765432", PiiKind::kIban) == "");
  CHECK(found("XX82WEST12345698765432", PiiKind::kIban) == "");
  CHECK(found("4111 1111 1111 1111", PiiKind::kCard) == "4111 1111 1111 1111");
  CHECK(found("5500-0000-0000-0004; 378282246310005", PiiKind::kCard) ==
        "5500-0000-0000-0004; 378282246310005");
  CHECK(found("4111111111111112", PiiKind::kCard) == "");
  CHECK(found("1234567812345670", PiiKind::kCard) == "");
  CHECK(found("4111 1111-1111 1111", PiiKind::kCard) == "");
}

TEST_CASE("kinds by name, and overlaps") {
  CHECK(pii_choice({"ip", "card"}).has(PiiKind::kCard));
  CHECK_FALSE(pii_choice({"ip"}).has(PiiKind::kEmail));
  CHECK_THROWS_AS(pii_choice({"emails"}), Error);
  const auto spans = find_pii("api_token=aB3dE5fG7hI9jK1lM3nO5pQ7 a@b.com 81.2.69.142", {});
  REQUIRE(spans.size() == 3);
  CHECK(spans[0].kind == PiiKind::kKey);
  CHECK(spans[2].kind == PiiKind::kIp);
}

TEST_CASE("masks replace what was found, and a second run finds nothing new") {
  PiiOptions options;
  set_pii_style(options, "fineweb");
  std::string text = "mail a@b.com or call +442079460958 from 81.2.69.142";
  CHECK(mask_pii(text, find_pii(text), options.replacement) == 3);
  CHECK(text == "mail email@example.com or call |||PHONE_NUMBER||| from 22.214.171.124");
  CHECK(mask_pii(text, find_pii(text), options.replacement) == 0);
  CHECK_THROWS_AS(set_pii_style(options, "plain"), Error);
}

TEST_CASE("any bytes give ordered spans inside the text") {
  const Rng rng(7);
  const std::string_view alphabet = "0123456789..::--@@+() \nabfAKIA_=/ghp_tel";
  for (int round = 0; round < fuzz_rounds(3000); ++round) {
    std::string text;
    const uint64_t length = rng.below(uint64_t(round) << 32, 90);
    for (uint64_t i = 0; i < length; ++i) {
      text += alphabet[rng.below((uint64_t(round) << 32) + i + 1, alphabet.size())];
    }
    PiiChoice choice = pii_choice({"email", "ip", "phone", "key", "iban", "card"});
    size_t end = 0;
    for (const PiiSpan& span : find_pii(text, choice)) {
      CHECK(span.begin >= end);
      CHECK(span.begin < span.end);
      end = span.end;
    }
    CHECK(end <= text.size());
  }
}
