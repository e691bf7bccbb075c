#include "lib/base/run_lock.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

TEST_CASE("run_lock: the second is told who was first; a lock that was left is taken") {
  const ScratchFolder folder;
  const std::string us = concat("process ", static_cast<long>(getpid()));
  {
    const RunLock lock(folder.path());
    CHECK_THROWS_WITH_AS(RunLock{folder.path()}, doctest::Contains(us.c_str()), Error);
    CHECK(fs::exists(folder.path() / "run.lock"));
  }
  CHECK(!fs::exists(folder.path() / "run.lock"));
  write_file(folder.path() / "run.lock", "process 1 that was killed long ago\n");
  const RunLock lock(folder.path());
  CHECK_THROWS_WITH_AS(RunLock{folder.path()}, doctest::Contains(us.c_str()), Error);
}

TEST_CASE("run_lock: a folder that is not there") {
  const ScratchFolder folder;
  CHECK_THROWS_AS(RunLock{folder.path() / "none"}, Error);
}
