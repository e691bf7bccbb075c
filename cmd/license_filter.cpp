#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/corpus/license/filter_step.h"

namespace llmtool {
namespace {

constexpr const char* kFooter =
    R"(Policies:
  llama       Apache-2.0, BSD-2-Clause, BSD-3-Clause, MIT: "the Apache, BSD and MIT licenses" of LLaMA,
              as BigQuery's table of GitHub names them
  permissive  what is on the SPDX list and in ScanCode 32.5.0's categories Permissive and Public
              Domain (422 licences), as The Stack v2 chose
  blueoak     Blue Oak Council's list 2.0.0 from Model to Bronze, without Lead (115 licences)
  none        nothing but --allow and --allow-file
A OR B is allowed if one of them is, A AND B if both are, A WITH an exception if A is, or the pair is
listed: an exception only permits more. X-or-later and X+ may be used as X. A deprecated identifier is
its successor. Findings that contradict each other hold together, so all must be allowed.
Not allowed unless asked for: documents of which nobody says the licence (--keep-unlicensed), what is
only said to be in the public domain (--allow LicenseRef-public-domain), licences that are not known.

Rules: license.none, license.unreadable, license.policy (the figure is the expression),
license.conflict (--strict), license.confidence. license_notices and license_text of the documents that
stay are kept as they are. `llmtool filter --attribute` compares whole expressions as texts instead.

Example:
  llmtool license filter scanned.jsonl.zst --policy llama --min-confidence 0.7 -o kept.jsonl.zst
  llmtool license filter scanned.jsonl.zst --policy permissive --deny JSON --strict -o kept.jsonl.zst)";

struct Flags {
  LicenseFilterOptions options;
  std::string policy;
  std::vector<std::string> allow, deny, allow_files;
};

LicenseFilterOptions options_of(const Flags& flags) {
  LicenseFilterOptions options = flags.options;
  check(!flags.policy.empty(), Fault::kUsage,
        "no --policy; there is llama, permissive, blueoak, and none for a list of your own");
  const bool is_own = flags.policy == "none";
  if (!is_own) options.policy = LicensePolicy::named(flags.policy);
  for (const std::string& file : flags.allow_files) options.policy.allow_file(file);
  for (const std::string& entry : flags.allow) options.policy.allow(entry, "--allow");
  for (const std::string& entry : flags.deny) options.policy.deny(entry, "--deny");
  check(!options.policy.entries().empty(), Fault::kUsage,
        "the policy allows nothing: give --allow or --allow-file");
  const bool changed = !flags.allow.empty() || !flags.deny.empty() || !flags.allow_files.empty();
  options.policy_name = is_own ? "a list" : changed ? flags.policy + ", changed" : flags.policy;
  return options;
}

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  LicenseFilterOptions& o = flags->options;
  app.add_option("--policy", flags->policy, "Which licences are allowed; see below")
      ->check(CLI::IsMember({"llama", "permissive", "blueoak", "none"}));
  app.add_option("--allow", flags->allow, "An SPDX identifier that is allowed, too; may repeat")
      ->type_name("ID")
      ->delimiter(',');
  app.add_option("--allow-file", flags->allow_files, "A file of them, one a line; # comments")
      ->type_name("FILE");
  app.add_option("--deny", flags->deny, "One that is not allowed; may repeat")
      ->type_name("ID")
      ->delimiter(',');
  app.add_option("--min-confidence", o.min_confidence, "Least license_confidence that is kept")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--strict", o.strict, "What the tree says otherwise must be allowed, too");
  app.add_flag("--keep-unlicensed", o.keep_unlicensed, "Keep documents without a licence");
  app.add_option("--license-field", o.member, "The member with the expression")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.footer(kFooter);
  return [flags] { return make_license_filter(options_of(*flags)); };
}

const RegisterStep filter{
    {"license filter", "Keep documents whose licence a policy allows", 14, define}};

}  // namespace
}  // namespace llmtool
