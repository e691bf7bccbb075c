#include "lib/base/text_stream.h"

#include <doctest/doctest.h>
#include <vector>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

std::string read_all(const fs::path& path, size_t piece = 70000) {
  InputStream in(path);
  std::string bytes, buffer(piece, '\0');
  while (const size_t n = in.read(buffer.data(), buffer.size())) bytes.append(buffer, 0, n);
  CHECK(in.consumed() == in.file_size());
  return bytes;
}

void write_all_to(const fs::path& path, std::string_view bytes, int level = -1) {
  OutputStream out(path, level);
  out.write(bytes);
  out.close();
}

std::vector<std::string> lines_of(const fs::path& path, size_t max_bytes = size_t{1} << 30) {
  LineReader reader(path, max_bytes);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

std::string message_of_reading(const fs::path& path) {
  try {
    read_all(path);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    return e.what();
  }
  return "nothing was thrown";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Text that compresses somewhat: 3 MB, more than every buffer inside.
std::string sample() {
  std::string text;
  uint64_t state = 1;
  while (text.size() < 3000000) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text += std::to_string(state >> 40) + (state >> 63 ? " " : "\n");
  }
  return text;
}

constexpr const char* kEndings[] = {"", ".gz", ".zst"};
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("text_stream: what was written is read, at any size and level") {
  const ScratchFolder folder;
  const std::string big = sample();
  for (const char* ending : kEndings) {
    CAPTURE(ending);
    const fs::path path = folder.path() / (std::string("a") + ending);
    for (const std::string& bytes : {std::string(), std::string("x"), std::string("abc\n"), big}) {
      write_all_to(path, bytes);
      CHECK(read_all(path) == bytes);
    }
    CHECK(read_all(path, 1 << 22) == big);
    write_all_to(path, big, 1);
    CHECK(read_all(path) == big);
  }
}

TEST_CASE("text_stream: the format is told by the first bytes, not by the name") {
  const ScratchFolder folder;
  const fs::path plain = folder.path() / "plain";
  for (const char* ending : {".gz", ".zst"}) {
    const fs::path path = folder.path() / (std::string("a") + ending);
    write_all_to(path, "text");
    fs::rename(path, plain);
    CHECK(read_all(plain) == "text");
  }
  write_file(folder.path() / "b.gz", "not compressed at all");
  CHECK(read_all(folder.path() / "b.gz") == "not compressed at all");
  write_file(folder.path() / "c.txt", "\x1f");
  CHECK(read_all(folder.path() / "c.txt") == "\x1f");
  // Too little to tell: what such a name promises is not there.
  for (const char* name : {"d.gz", "e.gz", "f.zst", "g.zst"}) {
    const bool empty = *name == 'd' || *name == 'f';
    write_file(folder.path() / name, empty ? "" : name[2] == 'g' ? "\x1f" : "\x28\xb5\x2f");
    CHECK_THROWS_WITH_AS(read_all(folder.path() / name), doctest::Contains("truncated at byte 0"),
                         Error);
    InputStream stream(folder.path() / name, true);
    char byte = 0;
    while (stream.read(&byte, 1) == 1) CHECK(byte == '\n');
    CHECK(stream.damages().size() == 1);
  }
}

TEST_CASE("text_stream: members and frames one after another are one text") {
  const ScratchFolder folder;
  for (const char* ending : {".gz", ".zst"}) {
    CAPTURE(ending);
    const fs::path path = folder.path() / (std::string("a") + ending);
    std::string joined;
    for (const char* part : {"one\n", "", "two\n"}) {
      write_all_to(path, part);
      joined += read_file(path);
    }
    write_file(path, joined);
    CHECK(read_all(path) == "one\ntwo\n");
  }
}

TEST_CASE("text_stream: every truncation is an error, or ends between members") {
  const ScratchFolder folder;
  for (const char* ending : {".gz", ".zst"}) {
    CAPTURE(ending);
    const fs::path path = folder.path() / (std::string("a") + ending);
    write_all_to(path, "some text that is long enough to be cut in many places");
    const std::string whole = read_file(path);
    for (size_t n = 4; n < whole.size(); ++n) {
      CAPTURE(n);
      write_file(path, whole.substr(0, n));
      const std::string message = message_of_reading(path);
      CHECK(contains(message, "truncated at byte " + std::to_string(n)));
      CHECK(contains(message, path.string()));
    }
  }
}

TEST_CASE("text_stream: broken bytes and foreign tails are errors") {
  const ScratchFolder folder;
  const std::string text = sample().substr(0, 1000);
  for (const char* ending : {".gz", ".zst"}) {
    CAPTURE(ending);
    const fs::path path = folder.path() / (std::string("a") + ending);
    write_all_to(path, text);
    std::string broken = read_file(path);
    broken[broken.size() / 2] ^= 0x55;
    write_file(path, broken);
    CHECK(contains(message_of_reading(path), "broken"));
    write_all_to(path, text);
    write_file(path, read_file(path) + "and something else");
    const std::string message = message_of_reading(path);
    CHECK((contains(message, "broken") || contains(message, "followed by something else")));
  }
  const fs::path padded = folder.path() / "padded.gz";
  write_all_to(padded, text);
  write_file(padded, read_file(padded) + std::string(600000, '\0'));
  CHECK(read_all(padded) == text);
}

TEST_CASE("text_stream: lines") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  const auto lines_in = [&](std::string_view bytes) {
    write_file(path, bytes);
    return lines_of(path);
  };
  CHECK(lines_in("") == Lines{});
  CHECK(lines_in("\n") == Lines{""});
  CHECK(lines_in("a\nb\n") == Lines{"a", "b"});
  CHECK(lines_in("a\nb") == Lines{"a", "b"});
  CHECK(lines_in("a\r\n\r\nb") == Lines{"a\r", "\r", "b"});
  CHECK(lines_in("\n\n") == Lines{"", ""});
  CHECK(lines_in(std::string_view("a\0b\n", 4)) == Lines{std::string("a\0b", 3)});

  const std::string big = sample();
  write_file(path, big);
  std::string joined;
  for (const std::string& line : lines_of(path)) joined += line + "\n";
  CHECK(joined.starts_with(big));
}

TEST_CASE("text_stream: a line of 100 MB is read, and refused by a smaller limit") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a.zst";
  const std::string line(100000000, 'x');
  write_all_to(path, "first\n" + line + "\nlast\n", 1);
  const Lines lines = lines_of(path, line.size());
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == line);
  try {
    lines_of(path, line.size() - 1);
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    CHECK(contains(e.what(), path.string() + ":2: the line is longer than 99999999 bytes"));
  }
}

TEST_CASE("text_stream: line numbers") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "a\n\nb");
  LineReader reader(path);
  std::string_view line;
  while (reader.next(line)) {
  }
  CHECK(reader.line_number() == 3);
  CHECK(reader.where() == path.string() + ":3");
  CHECK_FALSE(reader.next(line));
}

TEST_CASE("text_stream: an output that is not closed does not appear") {
  const ScratchFolder folder;
  for (const char* ending : kEndings) {
    const fs::path path = folder.path() / (std::string("a") + ending);
    {
      OutputStream out(path);
      out.write("text");
    }
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(fs::is_empty(folder.path()));
}
