#include "lib/io/run_manifest.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

RunManifest manifest(const char* command) {
  return RunManifest(
      command, {"llmtool", command},
      {{"seed", {"7"}}, {"threads", {"2"}}, {"lr", {"0.5"}}, {"plan", {}}, {"x", {"a", "b"}}});
}

nlohmann::json json_of(const fs::path& path) {
  return nlohmann::json::parse(read_file(path));
}

}  // namespace

TEST_CASE("run_manifest: what is written") {
  const ScratchFolder folder;
  const fs::path in = folder.path() / "in.txt", out = folder.path() / "out";
  write_file(in, "input");
  create_folder(out / "deep");
  RunManifest run = manifest("train");
  write_file(out / "deep" / "model", "output");
  run.add_input(in);
  run.add_input("-");
  run.add_output(out);
  run.write(out);
  const nlohmann::json json = json_of(out / "run.json");
  CHECK(json["command"] == "train");
  CHECK(json["command_line"].size() == 2);
  CHECK(json["seed"] == 7);
  CHECK(json["machine"]["threads"] == 2);
  CHECK(json["options"]["lr"] == 0.5);
  CHECK(json["options"]["plan"].is_null());
  CHECK(json["options"]["x"].size() == 2);
  REQUIRE(json["outputs"].size() == 1);
  CHECK(json["outputs"][0]["path"] == "deep/model");
  CHECK(json["outputs"][0]["bytes"] == 6);
  CHECK(json["outputs"][0]["xxh3_128"] == checksum_file(out / "deep" / "model"));
  REQUIRE(json["inputs"].size() == 2);
  CHECK(json["inputs"][0]["path"] == fs::absolute(in).string());
  CHECK(json["inputs"][1]["path"] == "-");
  CHECK(json["earlier"].empty());

  manifest("train").write(out);
  CHECK(json_of(out / "run.json")["earlier"].size() == 1);
}

TEST_CASE("run_manifest: files are checked, and the folder may have moved") {
  const ScratchFolder folder;
  const fs::path in = folder.path() / "in", out = folder.path() / "out",
                 moved = folder.path() / "b";
  write_file(in, "input");
  create_folder(out);
  write_file(out / "one", "1");
  write_file(out / "two", "2");
  RunManifest run = manifest("train");
  run.add_input(in);
  run.add_output(out);
  run.write(out);
  fs::rename(out, moved);
  write_file(moved / "one", "x");
  fs::remove(moved / "two");
  const auto checks = check_files(moved / "run.json");
  REQUIRE(checks.size() == 3);
  CHECK(checks[0].state == FileCheck::State::kChanged);
  CHECK(checks[0].expected != checks[0].found);
  CHECK(checks[1].state == FileCheck::State::kMissing);
  CHECK(checks[2].state == FileCheck::State::kSame);
  CHECK_FALSE(checks[2].is_output);
}

TEST_CASE("run_manifest: lineage goes up through the inputs") {
  const ScratchFolder folder;
  const fs::path text = folder.path() / "text.jsonl", tokens = folder.path() / "tokens",
                 model = folder.path() / "model";
  write_file(text, "{}");
  RunManifest first = manifest("text");
  first.add_output(text);
  first.write(text);
  create_folder(tokens);
  write_file(tokens / "a.bin", "x");
  RunManifest second = manifest("tokenize");
  second.add_input(text);
  second.add_output(tokens);
  second.write(tokens);
  create_folder(model);
  RunManifest third = manifest("train");
  third.add_input(tokens / "a.bin");  // a file inside the folder: the manifest is the folder's
  third.write(model);

  auto steps = lineage(model / "run.json");
  REQUIRE(steps.size() == 3);
  CHECK(steps[1].command == "tokenize");
  CHECK(steps[1].depth == 1);
  CHECK(steps[2].command == "text");
  CHECK(steps[2].depth == 2);
  CHECK_FALSE(steps[1].changed);

  manifest("tokenize").write(tokens);
  CHECK(lineage(model / "run.json")[1].changed);
  fs::remove(tokens / "run.json");
  steps = lineage(model / "run.json");
  REQUIRE(steps.size() == 2);
  CHECK_FALSE(steps[1].found);
}

TEST_CASE("run_manifest: what is no manifest is an input error") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "run.json";
  for (const char* text :
       {"", "{", "[]", "{}", R"({"llmtool": 1})", R"({"llmtool": "x", "outputs": 3})",
        R"({"llmtool": "x", "inputs": [], "outputs": [{"path": 3}]})"}) {
    CAPTURE(text);
    write_file(path, text);
    try {
      check_files(path);
      FAIL("nothing was thrown");
    } catch (const Error& e) {
      CHECK(e.fault() == Fault::kInput);
    }
  }
}

TEST_CASE("run_manifest: the result of a run whose outputs are all there") {
  const ScratchFolder folder;
  const fs::path out = folder.path() / "out.jsonl";
  CHECK_FALSE(result_of_run(out, "f1"));
  write_file(out, "output");
  RunManifest run = manifest("filter");
  run.add_output(out);
  run.set_result("f1", R"({"read": 3})");
  run.write(out);
  const auto result = result_of_run(out, "f1");
  REQUIRE(result);
  CHECK(nlohmann::json::parse(*result) == nlohmann::json{{"read", 3}});
  CHECK_FALSE(result_of_run(out, "f2"));
  write_file(out, "outpu");
  CHECK_FALSE(result_of_run(out, "f1"));
  fs::remove(out);
  CHECK_FALSE(result_of_run(out, "f1"));
  // What others wrote is no result, and as deep as it likes.
  write_file(out, "output");
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{\"llmtool\": 1}"),
        std::string(R"({"llmtool": 1, "fingerprint": "f1", "outputs": 3})"),
        std::string(R"({"llmtool": 1, "fingerprint": "f1", "outputs": [3]})"),
        R"({"llmtool": 1, "fingerprint": "f1", "outputs": [], "result": )" +
            std::string(1000000, '[') + std::string(1000000, ']') + "}"}) {
    write_file(manifest_path(out), text);
    CHECK_FALSE(result_of_run(out, "f1"));
    CHECK_NOTHROW(manifest("filter").write(out));
  }
}

TEST_CASE("run_manifest: one checksum of the outputs in a folder, from the manifest alone") {
  const ScratchFolder folder;
  const fs::path out = folder.path() / "out";
  const auto checksum_after = [&](const char* train, const char* val) {
    create_folder(out / "train");
    create_folder(out / "val");
    write_file(out / "train" / "a.bin", train);
    write_file(out / "val" / "a.bin", val);
    RunManifest run = manifest("tokenize");
    run.add_output(out);
    run.write(out);
    return outputs_checksum(manifest_path(out), "train");
  };
  const std::string first = checksum_after("tokens", "x");
  CHECK(first.size() == 32);
  CHECK(checksum_after("tokens", "y") == first);
  CHECK(checksum_after("Tokens", "x") != first);
  CHECK(checksum_after("tokens", "x") == first);
  fs::rename(out, folder.path() / "moved");
  CHECK(outputs_checksum(folder.path() / "moved" / "run.json", "train") == first);
  CHECK(outputs_checksum(folder.path() / "moved" / "run.json", "tra").empty());
  CHECK(outputs_checksum(out / "run.json", "train").empty());
  for (const char* text :
       {"", "[1]", "{\"outputs\": 3}", "{\"outputs\": [{\"path\": \"train/a\"}]}"}) {
    CAPTURE(text);
    write_file(folder.path() / "run.json", text);
    CHECK(outputs_checksum(folder.path() / "run.json", "train").empty());
  }
}
