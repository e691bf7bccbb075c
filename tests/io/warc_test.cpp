#include <doctest/doctest.h>
#include <zlib.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/io/corpus_reader.h"
#include "tests/fuzz_rounds.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

std::string record(const std::string& type, const std::string& url, const std::string& content,
                   const std::string& more = "") {
  return concat("WARC/1.0\r\nwarc-type: ", type, "\r\nContent-Length: ", content.size(),
                "\r\nWARC-Record-ID: <urn:uuid:", url, ">\r\n", more, "WARC-Target-URI: ", url,
                "\r\n\r\n", content, "\r\n\r\n");
}

std::string response(const std::string& header, const std::string& body) {
  return "HTTP/1.1 200 OK\r\n" + header + "\r\n" + body;
}

struct Read {
  std::vector<Document> documents;
  std::vector<std::string> bad, problems;
};

Read read_all(const fs::path& file, size_t block_bytes, bool skip = true) {
  CorpusReader reader(std::vector{file.string()}, {.block_bytes = block_bytes, .skip_bad = skip});
  DocumentParser parser;
  Read read;
  const std::function<void(BadRecord)> bad = [&](const BadRecord& b) {
    read.bad.push_back(b.where + ": " + b.reason);
  };
  for (CorpusBlock block; reader.next(block);) {
    for_each_document(block, parser, skip ? bad : nullptr, [&](Document& d) {
      d.path = {};
      read.documents.push_back(d);
    });
  }
  read.problems = reader.take_problems();
  return read;
}

std::string write(const ScratchFolder& scratch, const std::string& name, const std::string& bytes) {
  const fs::path path = scratch.path() / name;
  OutputStream out(path);
  out.write(bytes);
  out.close();
  return path;
}

}  // namespace

TEST_CASE("responses and text records of an archive become documents") {
  const ScratchFolder scratch;
  const std::string file = write(
      scratch, "a.warc.gz",
      record("warcinfo", "none", "software: x") + record("request", "none", "GET /") +
          record("response", "http://a/",
                 response("content-type: text/html; charset=\"latin1\"\r\n", "<p>\xe9")) +
          record("response", "http://b/",
                 response("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) +
          record("conversion", "http://c/", "plain text\nof WET",
                 "WARC-Identified-Content-Language: eng\r\n"));
  for (const size_t block : {1, 100, 100000}) {
    const Read read = read_all(file, block);
    REQUIRE(read.documents.size() == 3);
    CHECK(read.bad.empty());
    CHECK(read.documents[0].text == "<p>\xe9");
    CHECK(read.documents[0].id == "http://a/");
    CHECK(member(read.documents[0], "metadata.url").text == "http://a/");
    CHECK(member(read.documents[0], "metadata.content_type").text == "text/html");
    CHECK(member(read.documents[0], "metadata.charset").text == "latin1");
    CHECK(member(read.documents[0], "metadata.http_status").number == 200);
    CHECK(read.documents[1].text == "abcde");
    CHECK(read.documents[2].text == "plain text\nof WET");
    CHECK(member(read.documents[2], "metadata.languages").text == "eng");
  }
}

TEST_CASE("compressed bodies are read, and none grows without bounds") {
  const ScratchFolder scratch;
  const auto gzipped = [&](const std::string& text) {
    return read_file(write(scratch, "body.gz", text));
  };
  const auto deflated = [](const std::string& text, int window_bits) {
    z_stream z{};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(text.size() + 100, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  };
  const std::string page = "<p>" + std::string(3000, 'p');
  const std::string file = write(
      scratch, "a.warc",
      record("response", "http://a/", response("Content-Encoding: gzip\r\n", gzipped(page))) +
          record("response", "http://bomb/",
                 response("Content-Encoding: gzip\r\n", gzipped(std::string(50 << 20, ' ')))) +
          record("response", "http://c/", response("Content-Encoding: br\r\n", "??")) +
          record("response", "http://d/", response("Content-Encoding: identity\r\n", "plain")) +
          record("response", "http://e/",
                 response("Content-Encoding: deflate\r\n", deflated(page, MAX_WBITS))) +
          record("response", "http://f/",
                 response("Content-Encoding: deflate\r\n", deflated(page, -MAX_WBITS))) +
          record("response", "http://g/", response("Content-Encoding: x-gzip\r\n", gzipped(page))) +
          record("response", "http://h/",
                 response("Content-Encoding: deflate\r\n", "<p>as it is")));
  const Read read = read_all(file, 1 << 20);
  REQUIRE(read.documents.size() == 6);
  CHECK(read.documents[0].text == page);
  CHECK(read.documents[1].text == "plain");
  for (size_t i = 2; i < 5; ++i) CHECK(read.documents[i].text == page);
  CHECK(read.documents[5].text == "<p>as it is");
  REQUIRE(read.bad.size() == 2);
  CHECK(read.bad[0].find("a compressed body of more than") != std::string::npos);
  CHECK(read.bad[1].find("compressed by 'br'") != std::string::npos);
}

TEST_CASE("a body that ends too early is kept, and named") {
  const ScratchFolder scratch;
  std::string page = "<p>";
  for (int i = 0; i < 5000; ++i) page += std::to_string(i * 7919 % 10007) + " ";
  const std::string gzip = read_file(write(scratch, "body.gz", page));
  const std::string half = gzip.substr(0, gzip.size() / 2);
  const std::string file = write(
      scratch, "a.warc",
      record("response", "http://a/", response("Content-Encoding: gzip\r\n", half)) +
          record("response", "http://b/",
                 response("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n20\r\nde")) +
          record("response", "http://c/", response("", "whole"), "WARC-Truncated: length\r\n") +
          record("response", "http://d/", response("Content-Encoding: gzip\r\n", gzip)) +
          record("response", "http://e/", response("Transfer-Encoding: chunked\r\n", "bad words")));
  const Read read = read_all(file, 1 << 20);
  REQUIRE(read.documents.size() == 5);
  CHECK(read.bad.empty());
  const auto truncated = [&](size_t i) {
    return member(read.documents[i], "metadata.truncated").text;
  };
  CHECK(truncated(0) == "gzip");
  CHECK(read.documents[0].text.size() > 1000);
  CHECK(page.starts_with(read.documents[0].text));
  CHECK(truncated(1) == "chunked");
  CHECK(read.documents[1].text == "abcde");
  CHECK(truncated(2) == "length");
  CHECK(truncated(3) == "");
  CHECK(read.documents[3].text == page);
  CHECK(truncated(4) == "");
  CHECK(read.documents[4].text == "bad words");
}

TEST_CASE("damaged records are named, and what follows is read") {
  const ScratchFolder scratch;
  std::string wrong = record("response", "http://b/", "content");
  wrong.replace(wrong.find("Content-Length: 7"), 17, "Content-Length: 9");
  const std::string bytes = record("response", "http://a/", "one") + wrong +
                            record("response", "http://c/", "three") +
                            record("response", "http://d/", "cut off").substr(0, 60);
  const std::string file = write(scratch, "a.warc", bytes);
  for (const size_t block : {1, 200, 100000}) {
    const Read read = read_all(file, block);
    REQUIRE(read.documents.size() == 2);
    CHECK(read.documents[1].text == "three");
    CHECK(read.bad.size() == 2);
    CHECK(read.bad[0].find("a.warc:9: ") != std::string::npos);
  }
  CHECK_THROWS_WITH_AS(read_all(file, 1000, false), doctest::Contains("a.warc:9: "), Error);
}

TEST_CASE("a broken gzip member costs what is in it, not the archive") {
  const ScratchFolder scratch;
  std::string bytes;
  std::vector<size_t> ends;
  for (const char* name : {"a", "b", "c", "d"}) {
    const std::string file =
        write(scratch, concat(name, ".gz"),
              record("response", concat("http://", name, "/"), std::string(3000, *name) + name));
    bytes += read_file(file);
    ends.push_back(bytes.size());
  }
  for (size_t at = ends[0] + 12; at < ends[1]; at += 3) {
    std::string broken = bytes;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    write_file(scratch.path() / "broken.warc.gz", broken);
    const Read read = read_all(scratch.path() / "broken.warc.gz", 1 << 18);
    CAPTURE(at);
    REQUIRE(read.documents.size() >= 3);
    CHECK(read.documents.back().text == std::string(3000, 'd') + "d");
    CHECK(read.problems.size() + read.bad.size() > 0);
  }
  write_file(scratch.path() / "short.warc.gz", bytes.substr(0, ends[2] - 5));
  const Read read = read_all(scratch.path() / "short.warc.gz", 1 << 18);
  CHECK(read.documents.size() >= 2);
  CHECK(read.problems.size() == 1);
  CHECK_THROWS_WITH_AS(read_all(scratch.path() / "short.warc.gz", 1 << 18, false),
                       doctest::Contains("the gzip stream is truncated at byte"), Error);
}

TEST_CASE("archives with random damage are read to their end") {
  const ScratchFolder scratch;
  std::string whole;
  for (int i = 0; i < 20; ++i) {
    whole += record(i % 3 == 0 ? "conversion" : "response", concat("http://", i),
                    response("Content-Encoding: gzip\r\n", std::string(50, 'y')));
  }
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    const Rng rng(11, static_cast<uint64_t>(round));
    std::string bytes = whole;
    for (uint64_t i = 0; i < 1 + rng.below(0, 20); ++i) {
      bytes[rng.below(2 * i + 1, bytes.size())] = static_cast<char>(rng.bits(2 * i + 2));
    }
    bytes.resize(rng.below(99, bytes.size()) + 1);
    const fs::path file = scratch.path() / "f.warc";
    write_file(file, bytes);
    const Read one = read_all(file, 64), other = read_all(file, 1 << 20);
    CHECK(one.documents.size() == other.documents.size());
  }
}
