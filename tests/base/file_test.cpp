#include "lib/base/file.h"

#include <atomic>
#include <cstdio>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  return Error(Fault::kFailed, "nothing was thrown");
}

int64_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("file: written, read, mapped and summed are the same bytes") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3000000}}) {
    std::string bytes(size, 'x');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 % 256);
    write_file(path, bytes);
    CHECK(read_file(path) == bytes);
    const MappedFile map(path);
    CHECK(map.bytes().size() == size);
    CHECK(std::string_view(reinterpret_cast<const char*>(map.bytes().data()), size) == bytes);
    CHECK(checksum(map.bytes()) == checksum_file(path));
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("file: the checksum is XXH3-128 as xxh128sum prints it") {
  CHECK(checksum({}) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("file: without commit the old file stays and nothing is left") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new, never finished");
  }
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("file: a killed writer leaves the old file") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "old");
  AtomicFile unfinished(path);  // as if another process of this pid had been killed
  unfinished.write(std::string(3 << 20, 'x'));
  CHECK(read_file(path) == "old");
  AtomicFile next(path);  // takes another temporary name
  next.write("new");
  next.commit();
  CHECK(read_file(path) == "new");
}

TEST_CASE("file: write_at reaches what is buffered and what is written") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  AtomicFile file(path);
  file.write(std::string(3 << 20, '.'));
  file.write("tail");
  file.write_at(0, "head", 4);
  file.write_at(file.size() - 4, "T", 1);
  file.commit();
  const std::string bytes = read_file(path);
  CHECK(bytes.size() == (3 << 20) + 4);
  CHECK(bytes.starts_with("head."));
  CHECK(bytes.ends_with(".Tail"));
}

TEST_CASE("file: a full disk is named") {
  const Error e = error_of([] { write_file("/dev/full", std::string(1 << 16, 'x')); });
  CHECK(e.fault() == Fault::kIo);
  CHECK(contains(e.what(), "cannot write /dev/full: no space left on device"));
  CHECK(contains(e.hint(), "free some space"));
}

TEST_CASE("file: devices, pipes and links are written, not replaced") {
  const ScratchFolder folder;
  write_file("/dev/null", "x");
  CHECK(fs::is_character_file("/dev/null"));

  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string got;
  std::thread reader([&] { got = read_file(pipe); });
  write_file(pipe, "through");
  reader.join();
  CHECK(got == "through");
  CHECK(fs::is_fifo(pipe));

  const fs::path target = folder.path() / "target", link = folder.path() / "link";
  write_file(target, "old");
  fs::create_symlink("target", link);
  write_file(link, "new");
  CHECK(fs::is_symlink(link));
  CHECK(read_file(target) == "new");
}

TEST_CASE("file: what is in the way is named") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "file";
  write_file(file, "x");
  const std::string missing = (folder.path() / "none").string();

  Error e = error_of([&] { read_file(missing); });
  CHECK(e.fault() == Fault::kIo);
  CHECK(e.what() == "cannot read " + missing + ": no such file or folder");
  e = error_of([&] { read_file(folder.path()); });
  CHECK(contains(e.what(), ": it is a folder"));
  e = error_of([&] { MappedFile map(folder.path()); });
  CHECK(contains(e.what(), ": it is a folder"));
  e = error_of([&] { checksum_file(missing); });
  CHECK(contains(e.what(), "no such file"));
  e = error_of([&] { write_file(folder.path(), "x"); });
  CHECK(contains(e.what(), ": it is a folder"));
  e = error_of([&] { write_file(missing + "/below", "x"); });
  CHECK(contains(e.what(), "no such file or folder"));
  e = error_of([&] { write_file(file / "below", "x"); });
  CHECK(contains(e.what(), "a part of the path is a file"));
  e = error_of([&] { create_folder(file / "below" / "deeper"); });
  CHECK(contains(e.what(), file.string() + " is a file"));
  CHECK(e.fault() == Fault::kIo);
}

TEST_CASE("file: folders are made with their parents") {
  const ScratchFolder folder;
  create_folder(folder.path() / "a" / "b" / "c");
  CHECK(fs::is_directory(folder.path() / "a" / "b" / "c"));
  create_folder(folder.path() / "a" / "b" / "c/");
  const fs::path here = fs::current_path();
  fs::current_path(folder.path());
  create_folder("relative/deep");
  fs::current_path(here);
  CHECK(fs::is_directory(folder.path() / "relative" / "deep"));
}

TEST_CASE("replace_folder: the new one is in place and nothing else is left, exchanged or not") {
  for (const bool may_exchange : {true, false}) {
    CAPTURE(may_exchange);
    const ScratchFolder scratch;
    const fs::path made = scratch.path() / "made", folder = scratch.path() / "folder";
    for (const char* text : {"first", "second", "third"}) {
      create_folder(made);
      write_file(made / text, text);
      replace_folder(made, folder, may_exchange);
      CHECK(read_file(folder / text) == text);
      CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
      CHECK(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()) == 1);
    }
    CHECK_THROWS_AS(replace_folder(scratch.path() / "none", folder, may_exchange), Error);
    CHECK(read_file(folder / "third") == "third");
  }
}

TEST_CASE("replace_folder: at no moment is there no folder") {
  const ScratchFolder scratch;
  const fs::path made = scratch.path() / "made", folder = scratch.path() / "folder";
  const auto make = [&](const fs::path& at) {
    create_folder(at);
    write_file(at / "file", "text");
  };
  make(made);
  make(folder);
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) != 0) {
    MESSAGE("this file system cannot exchange folders");
    return;
  }
  std::atomic<bool> done{false};
  std::atomic<int> missing{0}, reads{0};
  std::thread reader([&] {
    for (; !done; ++reads) missing += fs::is_directory(folder) ? 0 : 1;
  });
  for (int i = 0; i < 200 || reads < 200; ++i) {
    make(made);
    replace_folder(made, folder);
  }
  done = true;
  reader.join();
  CHECK(missing == 0);
}
