#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/corpus/pii/pii_step.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "  email  local@domain.tld; not git@host:path, https://user@host, image@2x.png\n"
    "  ip     IPv4 and IPv6 of the public internet (--private-addresses: any); not version "
    "numbers:\n"
    "         IPv4 of up to 7 digits needs a word such as 'host' before it, or :port or /bits "
    "behind\n"
    "  phone  +country code; (212) 555-0143 and 212-555-0143 of North America; 7 to 15 digits\n"
    "         behind a word such as 'tel'; not dates, ISBN or parts of longer numbers\n"
    "  key    tokens of AWS, GitHub, GitLab, Slack, Google, Stripe, OpenAI, Anthropic, Hugging\n"
    "         Face, npm, SendGrid; JSON Web Tokens; PEM private keys; random values (20 "
    "characters,\n"
    "         3.5 bits each) assigned to a name such as api_key, secret, token, password\n"
    "  iban   by country, length and check digits\n"
    "  card   by prefix, length and Luhn digit\n"
    "--mode mask puts a text in place of each; drop drops documents with more than --at-most; "
    "mark\n"
    "adds the attribute pii: [[begin, end, kind], ...] in bytes of the UTF-8 text.\n"
    "Styles: fineweb writes email@example.com and 22.214.171.124, dolma |||EMAIL_ADDRESS|||,\n"
    "|||IP_ADDRESS|||; both |||PHONE_NUMBER|||, |||SECRET_KEY|||, |||IBAN|||, |||CARD_NUMBER|||.\n"
    "--replace kind=text changes one of them.\n\n"
    "Example:\n"
    "  llmtool pii web.jsonl --kinds email,ip,phone -o masked.jsonl";

struct Flags {
  std::vector<std::string> kinds = {"email", "ip", "phone", "key"};
  std::vector<std::string> replacements;
  std::string mode = "mask", style = "fineweb";
  uint64_t at_most = 0;
  bool private_addresses = false;
};

void replace(PiiOptions& options, const std::string& pair) {
  const size_t equals = pair.find('=');
  check(equals != pair.npos, Fault::kUsage, "--replace ", pair, ": expected kind=text");
  const PiiChoice kind = pii_choice({pair.substr(0, equals)});
  for (size_t i = 0; i < kPiiKinds; ++i) {
    if (kind.kinds[i]) options.replacement[i] = pair.substr(equals + 1);
  }
}

std::unique_ptr<Step> make(const Flags& flags) {
  PiiOptions options;
  options.choice = pii_choice(flags.kinds);
  options.choice.private_addresses = flags.private_addresses;
  options.mode = flags.mode == "mask"   ? PiiMode::kMask
                 : flags.mode == "drop" ? PiiMode::kDrop
                                        : PiiMode::kMark;
  options.at_most = flags.at_most;
  set_pii_style(options, flags.style);
  for (const std::string& pair : flags.replacements) replace(options, pair);
  return make_pii_step(options);
}

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--kinds", flags->kinds, "What to look for: email, ip, phone, key, iban, card")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--mode", flags->mode, "Mask what is found, drop documents, or only mark it")
      ->check(CLI::IsMember({"mask", "drop", "mark"}))
      ->capture_default_str();
  app.add_option("--at-most", flags->at_most, "Found in a document that is kept, with --mode drop")
      ->capture_default_str();
  app.add_option("--style", flags->style, "Texts of masks")
      ->check(CLI::IsMember({"fineweb", "dolma"}))
      ->capture_default_str();
  app.add_option("--replace", flags->replacements,
                 "kind=text: another text for a kind; may repeat");
  app.add_flag("--private-addresses", flags->private_addresses,
               "Count addresses of private networks too");
  app.footer(kHelp);
  return [flags] { return make(*flags); };
}

const RegisterStep pii{{"pii", "Mask personal data and secrets", 15, define}};

}  // namespace
}  // namespace llmtool
