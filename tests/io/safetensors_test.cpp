#include "lib/io/safetensors.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

// A file of this header and so many bytes of data.
void write_raw(const fs::path& path, const std::string& header, size_t data) {
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  write_file(path, bytes + header + std::string(data, '\1'));
}

}  // namespace

TEST_CASE("safetensors: what is written comes back, with the data aligned") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "model.safetensors";
  const std::vector<float> a{1, -2, 3.5f, 0, 1e-40f, 6};
  const std::vector<uint16_t> half{0x3c00, 0xc000, 0x0001, 0x7c00};  // 1, -2, 2^-24, infinity
  write_safetensors(path,
                    {{"a", DType::kF32, {2, 3}, a.data()},
                     {"none", DType::kF32, {0, 3}, nullptr},
                     {"half", DType::kF16, {4}, half.data()}},
                    {{"format", "pt"}});
  const SafetensorsFile file(path);
  CHECK(file.tensors().size() == 3);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(reinterpret_cast<uintptr_t>(file.at("a").data) % 64 == 0);
  CHECK(file.at("a").shape_text() == "[2, 3]");
  CHECK(file.at("none").bytes == 0);
  std::vector<float> read(6);
  read_as_f32(file.at("a"), read.data());
  CHECK(read == a);
  std::vector<bf16> rounded(6);
  read_as_bf16(file.at("a"), rounded.data());
  CHECK(to_float(rounded[2]) == 3.5f);
  read.resize(4);
  read_as_f32(file.at("half"), read.data());
  CHECK(read == std::vector<float>{1, -2, 0x1p-24f, INFINITY});
  CHECK_THROWS_WITH_AS(file.at("b"), doctest::Contains("no tensor 'b'"), Error);
}

TEST_CASE("safetensors: headers that do not fit the file") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "model.safetensors";
  const auto tensor = [](const char* dtype, const char* shape, const char* offsets) {
    return concat(R"({"t": {"dtype": ")", dtype, R"(", "shape": )", shape, R"(, "data_offsets": )",
                  offsets, "}}");
  };
  const std::pair<std::string, const char*> bad[] = {
      {"[1]", "not a JSON object"},
      {"{\"t\": ", "not a JSON object"},
      {R"({"t": 1})", "'t'"},
      {R"({"t": {"dtype": "F32"}})", "'t'"},
      {tensor("F4", "[2]", "[0, 8]"), "dtype 'F4'"},
      {tensor("F32", "[2]", "[0, 4]"), "does not fit"},
      {tensor("F32", "[-2]", "[0, 8]"), "not one of a tensor"},
      {tensor("F32", "[4611686018427387904, 4]", "[0, 0]"), "not one of a tensor"},
      {tensor("F32", "[4611686018427387904]", "[0, 0]"), "does not fit"},
      {tensor("F32", "[2]", "[4, 12]"), "do not lie within"},
      {tensor("F32", "[2]", "[8, 0]"), "do not lie within"},
      {tensor("F32", "[2]", "[-8, 0]"), "do not lie within"},
      {tensor("F32", "[2]", "[0]"), "do not lie within"},
      {tensor("F32", "[2]", "[0, 18446744073709551615]"), "do not lie within"},
      {R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
           "b": {"dtype": "U8", "shape": [2], "data_offsets": [3, 5]}})",
       "overlap"}};
  for (const auto& [header, message] : bad) {
    CAPTURE(header);
    write_raw(path, header, 8);
    CHECK_THROWS_WITH_AS(SafetensorsFile{path}, doctest::Contains(message), Error);
  }
  for (const uint64_t size : {uint64_t{9}, uint64_t{1} << 40, UINT64_MAX}) {
    CAPTURE(size);
    std::string bytes(sizeof size, ' ');
    std::memcpy(bytes.data(), &size, sizeof size);
    write_file(path, bytes + "{}      ");
    CHECK_THROWS_WITH_AS(SafetensorsFile{path}, doctest::Contains("truncated"), Error);
  }
  for (const char* bytes : {"", "1234567"}) {
    write_file(path, bytes);
    CHECK_THROWS_WITH_AS(SafetensorsFile{path}, doctest::Contains("too few"), Error);
  }
}

TEST_CASE("safetensors: a folder of several files") {
  const ScratchFolder folder;
  const float one = 1, two = 2;
  write_safetensors(folder.path() / "1.safetensors", {{"a", DType::kF32, {1}, &one}});
  write_safetensors(folder.path() / "2.safetensors", {{"b", DType::kF32, {1}, &two}});
  const fs::path index = folder.path() / "model.safetensors.index.json";
  write_file(index, R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})");
  const SafetensorsFolder both(folder.path());
  CHECK(both.names() == std::vector<std::string>{"a", "b"});
  REQUIRE(both.find("b") != nullptr);
  CHECK(both.find("c") == nullptr);
  CHECK(both.file_of("b") == (folder.path() / "2.safetensors").string());
  for (const char* name : {"../1.safetensors", "/etc/passwd", "", "..", "x/y"}) {
    CAPTURE(name);
    write_file(index, concat(R"({"weight_map": {"a": ")", name, R"("}})"));
    CHECK_THROWS_WITH_AS(SafetensorsFolder{folder.path()},
                         doctest::Contains("not the name of a file in this folder"), Error);
  }
  for (const char* text : {"{", "[]", R"({"weight_map": {"a": 1}})"}) {
    write_file(index, text);
    CHECK_THROWS_WITH_AS(SafetensorsFolder{folder.path()}, doctest::Contains("index.json"), Error);
  }
}
