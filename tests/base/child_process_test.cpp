#include "lib/base/child_process.h"

#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <signal.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

using namespace llmtool;

namespace {

std::vector<std::string> lines;

ChildResult run(const std::function<std::string()>& work) {
  lines.clear();
  return run_in_child(work, [](std::string_view line) { lines.emplace_back(line); });
}

}  // namespace

TEST_CASE("what the work returns comes back, however long") {
  const std::string large(5'000'000, 'x');
  const ChildResult result = run([&] { return large; });
  CHECK(result.ok);
  CHECK(result.output == large);
  CHECK(lines.empty());
}

TEST_CASE("lines on stderr arrive in order") {
  const ChildResult result = run([] {
    std::fputs("one\ntwo\n\nthree", stderr);
    return std::string();
  });
  CHECK(result.ok);
  CHECK(lines == std::vector<std::string>{"one", "two", "three"});
  CHECK(result.last_line == "three");
}

TEST_CASE("exits, signals and exceptions are told apart from results") {
  const auto exiting = run([]() -> std::string {
    std::fputs("last words\n", stderr);
    std::exit(-1);
  });
  CHECK(!exiting.ok);
  CHECK(exiting.last_line == "last words");
  const auto killed = run([] {
    raise(SIGKILL);
    return std::string("never");
  });
  CHECK(!killed.ok);
  CHECK(killed.death == "signal 9 (Killed)");
  const auto aborted = run([]() -> std::string { std::abort(); });
  CHECK(aborted.death == "signal 6 (Aborted)");
  const auto threw = run([]() -> std::string { throw std::runtime_error("no good"); });
  CHECK(!threw.ok);
  CHECK(threw.death == "exit code 1");
  CHECK(threw.last_line == "no good");
}

TEST_CASE("the child has a memory of its own") {
  int value = 1;
  CHECK(run([&] { return std::to_string(++value); }).output == "2");
  CHECK(value == 1);
}
