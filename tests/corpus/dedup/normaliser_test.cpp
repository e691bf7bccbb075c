#include "lib/corpus/dedup/normaliser.h"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/corpus/dedup/text_pieces.h"

using namespace llmtool;

namespace {

std::string normalised(std::string_view text, Normalisation how) {
  std::string out = "before ";
  append_normalised(out, text, how);
  return out.substr(7);
}

}  // namespace

// Made by tests/parity/corpus_normaliser.py.
TEST_CASE("normaliser: as CCNet, datatrove and text-dedup do it") {
  std::ifstream golden(LLMTOOL_SOURCE_DIR "/tests/golden/normalised.jsonl");
  size_t count = 0;
  for (std::string line; std::getline(golden, line); ++count) {
    const auto expected = nlohmann::json::parse(line);
    const std::string text = expected.at("text");
    INFO(expected.at("text").dump());
    for (const std::string& name : normalisation_names()) {
      if (name == "none") continue;
      INFO(name);
      CHECK(normalised(text, normalisation_of(name)) == expected.at(name).get<std::string>());
    }
  }
  CHECK(count > 400);
  CHECK(normalised("As It\tIs", Normalisation::kNone) == "As It\tIs");
  CHECK_THROWS_AS(normalisation_of("upper"), Error);
}

TEST_CASE("text pieces: every byte is in a piece, and all kept is the text") {
  for (const std::string text : {"", "\n", "a", "a\n", "\n\na\n b\n\n\nc\n", " \n \n", "a\n\n\n"}) {
    for (const std::string& name : text_unit_names()) {
      std::vector<TextPiece> pieces;
      cut_text(text, text_unit_of(name), pieces);
      size_t end = 0;
      for (const TextPiece& p : pieces) {
        CHECK(p.begin == end);
        CHECK(p.begin <= p.content);
        CHECK(p.content <= p.content_end);
        end = p.end;
      }
      if (!pieces.empty()) {
        CHECK(end == text.size());
        CHECK(join_kept(text, pieces, std::vector<bool>(pieces.size(), false)) == text);
        CHECK(join_kept(text, pieces, std::vector<bool>(pieces.size(), true)).empty());
      }
    }
  }
}
