#include "lib/infer/prompt_file.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

std::vector<Prompt> read(const ScratchFolder& folder, const std::string& bytes) {
  write_file(folder.path() / "p.jsonl", bytes);
  return read_prompts(folder.path() / "p.jsonl");
}

std::string error_of(const ScratchFolder& folder, const std::string& bytes) {
  try {
    read(folder, bytes);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("prompts come with their ids, or their line numbers") {
  const ScratchFolder folder;
  const auto prompts = read(folder,
                            "{\"id\": 7, \"prompt\": \"a\"}\n\n"
                            "{\"prompt\": \"\\u00e9\\n\", \"other\": [1]}\r\n"
                            "{\"id\": \"x \\\"y\\\"\", \"prompt\": \"\"}");
  REQUIRE(prompts.size() == 3);
  CHECK(prompts[0].id == "7");
  CHECK(prompts[0].text == "a");
  CHECK(prompts[1].id == "3");
  CHECK(prompts[1].text == "\u00e9\n");
  CHECK(prompts[1].where == (folder.path() / "p.jsonl").string() + ":3");
  CHECK(prompts[2].id == "\"x \\\"y\\\"\"");
  CHECK(prompts[2].text.empty());
}

TEST_CASE("a bad line of prompts is named") {
  const ScratchFolder folder;
  const std::string good = "{\"prompt\": \"a\"}\n";
  const std::string name = (folder.path() / "p.jsonl").string();
  const auto check_error = [&](const std::string& line, const std::string& what) {
    CAPTURE(line);
    const std::string error = error_of(folder, good + line + "\n" + good);
    CHECK(error.starts_with(name + ":2: "));
    CHECK(error.find(what) != error.npos);
  };
  check_error("{\"prompt\": \"a\"", "invalid JSON at byte");
  check_error("{\"prompt\": \"a\"} x", "invalid JSON at byte");
  check_error("{\"prompt\": \"\\ud800\"}", "invalid JSON at byte");
  check_error("[1, 2]", "is a JSON array, expected an object");
  check_error("{\"text\": \"a\"}", "has no \"prompt\"");
  check_error("{\"prompt\": 3}", "\"prompt\" is a number");
  check_error("{\"prompt\": \"a\xff\"}", "byte 14 of the line is not valid UTF-8");
  check_error("{\"prompt\": \"a\", \"id\": 1e999}", "a number out of range");
  CHECK(error_of(folder, "\n\n").find("holds no prompt") != std::string::npos);
}
