#include "lib/corpus/extract/latex_archive.h"

#include <doctest/doctest.h>
#include <random>
#include <vector>
#include <zlib.h>

#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

constexpr size_t kMost = 1 << 20;

std::string tar_entry(const std::string& name, const std::string& content, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[13];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  header.replace(124, 12, size, 12);
  header[156] = type;
  header.replace(257, 5, "ustar");
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512);
  return header + padded;
}

std::string gzip(const std::string& bytes) {
  std::string out(bytes.size() + 1000, '\0');
  z_stream z{};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

const std::string kMain =
    "\\documentclass{article}\n\\begin{document}\n\\input{parts/one}% \\input{no}\n\\include{two}"
    "\\input{../../etc/passwd}\n\\end{document}\n";

std::string paper() {
  return tar_entry("./main.tex", kMain) + tar_entry("parts/one.tex", "ONE \\input{three}") +
         tar_entry("parts/three.tex", "THREE") + tar_entry("two.tex", "TWO \\input{two}") +
         tar_entry("link.tex", "", '2') + tar_entry("x.bbl", "BBL") + std::string(1024, '\0');
}

}  // namespace

TEST_CASE("a tar of a paper, gzipped or not, becomes one source") {
  for (const std::string& bytes : {paper(), gzip(paper())}) {
    const LatexSource source = read_latex_source(bytes, kMost);
    CHECK(source.error == "");
    CHECK(source.main == "main.tex");
    CHECK(source.text.find("ONE THREE") != std::string::npos);
    CHECK(source.text.find("TWO TWO TWO") != std::string::npos);  // it includes itself, 20 deep
    CHECK(source.text.find("passwd") != std::string::npos);       // stays as it is
    CHECK(source.missing > 0);
  }
}

TEST_CASE("a part that can be set alone is not the paper, and \\endinput ends a file") {
  const std::string part = "\\documentclass[main]{subfiles}\n\\begin{document}PART" +
                           std::string(2000, ' ') + "\\end{document}";
  const std::string bytes =
      tar_entry("four.tex", part) +
      tar_entry("main.tex",
                "\\documentclass{article}\\begin{document}\\input{one}MAIN\\end{document}") +
      tar_entry("one.tex", "ONE\\endinput NOT") + std::string(1024, '\0');
  const LatexSource source = read_latex_source(bytes, kMost);
  CHECK(source.main == "main.tex");
  CHECK(source.text.find("ONEMAIN") != std::string::npos);
  CHECK(read_latex_source(tar_entry("four.tex", part) + std::string(1024, '\0'), kMost).main ==
        "four.tex");
}

TEST_CASE("one file, in its encoding") {
  CHECK(read_latex_source("\\section{A}", kMost).text == "\\section{A}");
  CHECK(read_latex_source(gzip("\\section{A}"), kMost).text == "\\section{A}");
  CHECK(read_latex_source("\\usepackage[latin1]{inputenc} caf\xe9", kMost).text.ends_with("café"));
}

TEST_CASE("what is no paper") {
  CHECK(read_latex_source("%PDF-1.4 \\x", kMost).error == "extract.not_latex");
  CHECK(read_latex_source("plain text", kMost).error == "extract.not_latex");
  CHECK(read_latex_source("", kMost).error == "extract.not_latex");
  CHECK(read_latex_source(tar_entry("a.tex", "no class"), kMost).error == "extract.no_main_file");
  CHECK(read_latex_source(gzip(std::string(kMost * 2, '\\')), kMost).error == "extract.too_large");
  const std::string twice =
      tar_entry("m.tex", kMain + std::string(kMost / 8, 'x')) +
      tar_entry("two.tex", "\\input{two}\\input{two}" + std::string(9000, 'y'));
  CHECK(read_latex_source(twice, kMost).error == "extract.too_large");
}

TEST_CASE("files that include each other without end") {
  const std::string many = "\\input{b}\\input{b}\\input{b}\\input{b}";
  const LatexSource source =
      read_latex_source(tar_entry("m.tex", kMain) + tar_entry("two.tex", many) +
                            tar_entry("b.tex", "\\input{two}\\input{two}\\input{two}"),
                        kMost);
  CHECK(source.text.size() < kMost);
}

TEST_CASE("damaged archives") {
  std::mt19937 random(9);
  for (int round = 0; round < fuzz_rounds(500); ++round) {
    std::string bytes = round % 2 == 0 ? paper() : gzip(paper());
    for (int i = 0; i < 5; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) bytes.resize(random() % bytes.size());
    CHECK(read_latex_source(bytes, kMost).text.size() <= kMost * 2);
  }
}
