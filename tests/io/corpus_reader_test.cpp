#include "lib/io/corpus_reader.h"

#include <doctest/doctest.h>
#include <fstream>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

struct Read {
  std::vector<std::string> texts;
  BadLines bad;
  int blocks = 0;
};

Read read_all(const std::vector<std::string>& files, CorpusReader::Options options, bool skip) {
  CorpusReader reader(files, options);
  DocumentParser parser;
  CorpusBlock block;
  Read read;
  while (reader.next(block)) {
    ++read.blocks;
    for_each_document(block, parser, read.bad.taker(skip),
                      [&](Document& d) { read.texts.push_back(d.text); });
  }
  CHECK(reader.consumed_bytes() == reader.total_bytes());
  return read;
}

std::string jsonl(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += json_line(concat(i), concat("text ", i));
  return lines;
}

std::string write(const ScratchFolder& scratch, const std::string& name, const std::string& bytes) {
  OutputStream out(scratch.path() / name);
  out.write(bytes);
  out.close();
  return (scratch.path() / name).string();
}

std::string message_of(const std::string& file) {
  try {
    read_all({file}, {}, false);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("blocks of any size give the same documents") {
  const ScratchFolder scratch;
  const std::vector<std::string> files = {
      write(scratch, "a.jsonl", jsonl(1000)), write(scratch, "b.jsonl.zst", jsonl(10)),
      write(scratch, "empty.jsonl", ""), write(scratch, "c.jsonl.gz", jsonl(500))};
  const Read whole = read_all(files, {}, false);
  REQUIRE(whole.texts.size() == 1510);
  CHECK(whole.texts[1000] == "text 0");
  CHECK(whole.texts[1509] == "text 499");
  for (const size_t block : {1, 40, 1000}) {
    const Read small = read_all(files, {.block_bytes = block}, false);
    CHECK(small.texts == whole.texts);
    CHECK(small.blocks >= whole.blocks);
  }
}

TEST_CASE("line ends, blank lines, a byte order mark and a missing last line break") {
  const ScratchFolder scratch;
  const std::string file =
      write(scratch, "a.jsonl",
            "\xef\xbb\xbf{\"text\":\"a\"}\r\n\n  \r\n{\"text\":\"b\"}\n{\"text\":\"c\"}");
  CHECK(read_all({file}, {}, false).texts == std::vector<std::string>{"a", "b", "c"});
  CHECK(read_all({write(scratch, "mark.jsonl", "\xef\xbb\xbf")}, {}, false).texts.empty());
}

TEST_CASE("plain text is one document, or pieces of whole lines") {
  const ScratchFolder scratch;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += concat("line ", i, "\r\n\t\n");
  text += "the end";
  const std::string file = write(scratch, "a.txt.gz", text);
  CHECK(read_all({file}, {}, false).texts == std::vector<std::string>{text});
  const Read pieces = read_all({file}, {.text_document_bytes = 1000}, false);
  CHECK(pieces.texts.size() > 1);
  std::string joined;
  for (const std::string& piece : pieces.texts) joined += piece;
  CHECK(joined == text);
  CHECK(read_all({write(scratch, "b.dat", "no json")}, {.format = record_format("text")}, false)
            .texts == std::vector<std::string>{"no json"});
}

TEST_CASE("a bad line is named by file and line, or counted") {
  const ScratchFolder scratch;
  const std::string good = jsonl(3);
  const std::string file =
      write(scratch, "a.jsonl", good + "{\"text\": 1}\n" + good + "nonsense\n" + good);
  CHECK(message_of(file) == file + ":4: \"text\" is a number, expected a string");
  for (const size_t block : {1, 100000}) {
    const Read read = read_all({file}, {.block_bytes = block}, true);
    CHECK(read.texts.size() == 9);
    CHECK(read.bad.count == 2);
    CHECK(read.bad.first == file + ":4: \"text\" is a number, expected a string");
  }
  CHECK(message_of(write(scratch, "b.txt", "fine\nbad \xff\n")) ==
        (scratch.path() / "b.txt").string() + ":2: the text is not valid UTF-8");
}

TEST_CASE("a document that is too long is refused") {
  const ScratchFolder scratch;
  const std::string line = json_line("", std::string(5000, 'x'));
  const std::string file = write(scratch, "a.jsonl", jsonl(2) + line + jsonl(1));
  CHECK_THROWS_WITH_AS(read_all({file}, {.block_bytes = 100, .max_record_bytes = 1000}, true),
                       doctest::Contains("a.jsonl:3: a document of more than 1000 bytes"), Error);
  const std::string text = write(scratch, "a.txt", std::string(5000, 'x'));
  CHECK_THROWS_WITH_AS(read_all({text}, {.max_record_bytes = 1000}, true),
                       doctest::Contains("a.txt: a file of more than 1000 bytes"), Error);
}

TEST_CASE("globs") {
  const ScratchFolder scratch;
  const std::string b = write(scratch, "b.jsonl", ""), a = write(scratch, "a.jsonl", "");
  const std::string odd = write(scratch, "odd[1].jsonl", "");
  const std::string folder = scratch.path().string();
  CHECK(expand_globs({folder + "/[ab].jsonl", "-", odd}) ==
        std::vector<std::string>{a, b, "-", odd});
  CHECK_THROWS_WITH_AS(expand_globs({folder + "/*.zst"}), doctest::Contains("no file matches"),
                       Error);
}

TEST_CASE("a file that changes while it is read is an error, or noted") {
  const ScratchFolder scratch;
  const std::string file = write(scratch, "a.jsonl", jsonl(1000));
  for (const bool skip : {false, true}) {
    CorpusReader reader(std::vector{file}, {.block_bytes = 100, .skip_bad = skip});
    CorpusBlock block;
    CHECK(reader.next(block));
    std::ofstream(file, std::ios::app) << json_line("late", "text");
    const auto read_on = [&] {
      while (reader.next(block)) {
      }
    };
    if (skip) {
      read_on();
      CHECK(reader.take_problems().size() == 1);
    } else {
      CHECK_THROWS_WITH_AS(read_on(), doctest::Contains("the file changed while it was read"),
                           Error);
    }
  }
}

TEST_CASE("reading goes on at any position, and gives the same blocks") {
  const ScratchFolder scratch;
  const std::vector<std::string> files = {
      write(scratch, "a.jsonl", jsonl(300)),
      write(scratch, "b.jsonl.gz", "\xef\xbb\xbf" + jsonl(200)), write(scratch, "c.txt", "one"),
      write(scratch, "d.txt", "two"), write(scratch, "e.jsonl.zst", jsonl(100))};
  std::vector<std::string> blocks;
  std::vector<CorpusPosition> positions;
  CorpusReader whole(files, {.block_bytes = 500});
  for (CorpusBlock block; whole.next(block);) {
    blocks.push_back(concat(block.parts[0].path, block.parts[0].first_line, block.bytes));
    positions.push_back(whole.position());
  }
  CHECK(blocks.size() > 20);
  for (size_t i = 0; i < positions.size(); ++i) {
    CorpusReader reader(files, {.block_bytes = 500});
    reader.seek(positions[i]);
    size_t at = i + 1;
    for (CorpusBlock block; reader.next(block); ++at) {
      REQUIRE(at < blocks.size());
      CHECK(concat(block.parts[0].path, block.parts[0].first_line, block.bytes) == blocks[at]);
    }
    CHECK(at == blocks.size());
    CHECK(reader.consumed_bytes() == reader.total_bytes());
  }
}
