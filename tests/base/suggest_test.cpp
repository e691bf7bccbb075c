#include "lib/base/suggest.h"

#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("suggest: edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("train", "train") == 0);
  CHECK(edit_distance("trian", "train") == 1);  // neighbours swapped
  CHECK(edit_distance("tran", "train") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ca", "abc") == 3);  // optimal string alignment, not Damerau
}

TEST_CASE("suggest: the nearest name, if one is near") {
  const std::vector<std::string> names = {"train", "tokenize", "tokenizer train", "generate"};
  CHECK(nearest("trian", names) == "train");
  CHECK(nearest("tokenise", names) == "tokenize");
  CHECK(nearest("gen", names) == "generate");
  CHECK(nearest("quantise", names).empty());
  CHECK(nearest("x", {}).empty());
  CHECK(suggestion("trian", names) == "did you mean 'train'?");
  CHECK(suggestion("serve", names, "see --help") == "see --help");
}
