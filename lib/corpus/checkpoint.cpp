#include "lib/corpus/checkpoint.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

using nlohmann::json;

constexpr int kVersion = 3;

}  // namespace

void write_checkpoint(const fs::path& path, const Checkpoint& c) {
  json j = {{"version", kVersion},
            {"fingerprint", c.fingerprint},
            {"pass", c.pass},
            {"pass_ended", c.pass_ended},
            {"input", c.position.input},
            {"offset", c.position.offset},
            {"line", c.position.line},
            {"documents", c.documents},
            {"input_bytes", c.input_bytes},
            {"observed", c.observed},
            {"first_pass_documents", c.first_pass_documents},
            {"sizes", c.sizes},
            {"stats", c.stats},
            {"read", {c.read.documents, c.read.bytes}},
            {"written", {c.written.documents, c.written.bytes}},
            {"bad_records", c.bad_records},
            {"problem_count", c.problem_count},
            {"first_bad", c.first_bad},
            {"problems", c.problems},
            {"repeated_id_count", c.repeated_id_count},
            {"repeated_ids", c.repeated_ids},
            {"findings", json::array()}};
  for (const auto& [number, findings] : c.findings) {
    json facts = json::array();
    for (const Fact& f : findings.facts) facts.push_back({f.name, f.text, f.json, f.group});
    j["findings"].push_back({number, facts, findings.html});
  }
  write_file(path, j.dump(1, ' ', false, json::error_handler_t::replace));
}

Checkpoint read_checkpoint(const fs::path& path) {
  const std::string text = read_file(path);
  try {
    const json j = json::parse(text);
    check(j.at("version") == kVersion, Fault::kInput, "'", path.string(),
          "' is of another version of llmtool");
    Checkpoint c;
    c.fingerprint = j.at("fingerprint");
    c.pass = j.at("pass");
    c.pass_ended = j.at("pass_ended");
    c.position = {j.at("input"), j.at("offset"), j.at("line")};
    c.documents = j.at("documents");
    c.input_bytes = j.at("input_bytes");
    c.observed = j.at("observed");
    c.first_pass_documents = j.at("first_pass_documents");
    c.sizes = j.at("sizes").get<std::map<std::string, uint64_t>>();
    c.stats = j.at("stats");
    c.read = {j.at("read").at(0), j.at("read").at(1)};
    c.written = {j.at("written").at(0), j.at("written").at(1)};
    c.bad_records = j.at("bad_records");
    c.problem_count = j.at("problem_count");
    c.first_bad = j.at("first_bad");
    c.problems = j.at("problems").get<std::vector<std::string>>();
    c.repeated_id_count = j.at("repeated_id_count");
    c.repeated_ids = j.at("repeated_ids").get<std::vector<std::string>>();
    for (const json& f : j.at("findings")) {
      StepFindings& findings = c.findings[f.at(0)];
      for (const json& fact : f.at(1)) {
        findings.facts.push_back({fact.at(0), fact.at(1), fact.at(2), fact.at(3)});
      }
      findings.html = f.at(2);
    }
    return c;
  } catch (const json::exception& e) {
    fail(Fault::kInput, concat("'", path.string(), "' is no checkpoint: ", e.what()),
         "start the run anew with --overwrite");
  }
}

}  // namespace llmtool
