#include "lib/base/toml.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

using Kind = TomlValue::Kind;
using Texts = std::vector<std::string>;

std::vector<TomlValue> parse(const ScratchFolder& folder, std::string_view text) {
  const fs::path path = folder.path() / "a.toml";
  write_file(path, text);
  return read_toml(path);
}

std::string message_of(const ScratchFolder& folder, std::string_view text) {
  try {
    parse(folder, text);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kUsage);
    return e.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("toml: values with their kinds, keys and lines, in the order of the file") {
  const ScratchFolder folder;
  const auto values = parse(folder,
                            "z = \"text\"\n"
                            "a = 12\n"
                            "[train]\n"
                            "lr = 3e-4\n"
                            "big.on = true\n"
                            "list = [1, 2.5]\n"
                            "none = []\n"
                            "mask = 0x10\n");
  REQUIRE(values.size() == 7);
  CHECK(values[0].key == Texts{"z"});
  CHECK(values[0].kind == Kind::kText);
  CHECK(values[0].values == Texts{"text"});
  CHECK(values[0].where.ends_with("a.toml:1"));
  CHECK(values[1].kind == Kind::kInteger);
  CHECK(values[1].values == Texts{"12"});
  CHECK(values[2].key == Texts{"train", "lr"});
  CHECK(values[2].kind == Kind::kNumber);
  CHECK(std::stod(values[2].values[0]) == 3e-4);
  CHECK(values[2].where.ends_with("a.toml:4"));
  CHECK(values[3].key == Texts{"train", "big", "on"});
  CHECK(values[3].kind == Kind::kBoolean);
  CHECK(values[3].values == Texts{"true"});
  CHECK(values[4].is_list);
  CHECK(values[4].kind == Kind::kNumber);
  CHECK(values[4].values == Texts{"1", "2.5"});
  CHECK(values[5].is_list);
  CHECK(values[5].values.empty());
  CHECK(values[6].values == Texts{"16"});
}

TEST_CASE("toml: tables in a list are counted") {
  const ScratchFolder folder;
  write_file(folder.path() / "a.toml", "[[t]]\na = 1\n[[t]]\nb = \"x\"\na = [2, 3]\n");
  const std::vector<TomlValue> values = read_toml(folder.path() / "a.toml");
  REQUIRE(values.size() == 3);
  CHECK(values[0].key == Texts{"t", "0", "a"});
  CHECK(values[1].key == Texts{"t", "1", "b"});
  CHECK(values[2].key == Texts{"t", "1", "a"});
  CHECK(values[2].values == Texts{"2", "3"});
}

TEST_CASE("toml: what is wrong is said with its place") {
  const ScratchFolder folder;
  CHECK(message_of(folder, "a = 1\nb = \n").find("a.toml:2:") != std::string::npos);
  CHECK(message_of(folder, "a = 1\na = 2\n").find("a.toml:2:") != std::string::npos);
  CHECK(
      message_of(folder, "x = [[1], [2]]").find("a.toml:1: 'x' holds a list of tables or lists") !=
      std::string::npos);
  CHECK(message_of(folder, "x = [1, \"a\"]").find("several kinds") != std::string::npos);
}
