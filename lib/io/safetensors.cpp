#include "lib/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/error.h"
#include "lib/base/format.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct DTypeName {
  const char* name;
  DType dtype;
};
constexpr DTypeName kDTypes[] = {{"F32", DType::kF32}, {"BF16", DType::kBF16}, {"F16", DType::kF16},
                                 {"F64", DType::kF64}, {"I64", DType::kI64},   {"I32", DType::kI32},
                                 {"I16", DType::kI16}, {"U16", DType::kU16},   {"I8", DType::kI8},
                                 {"U8", DType::kU8}};

constexpr uint64_t kLargestHeader = uint64_t{100} << 20;  // as the reference implementation

DType parse_dtype(const std::string& name, const std::string& where) {
  for (const DTypeName& d : kDTypes) {
    if (name == d.name) return d.dtype;
  }
  fail(Fault::kInput, concat(where, ": dtype '", name, "' is not one that llmtool reads"));
}

const char* spell(DType dtype) {
  for (const DTypeName& d : kDTypes) {
    if (dtype == d.dtype) return d.name;
  }
  return "?";
}

// The product of the shape; Fault::kInput when it is negative or does not fit.
int64_t element_count(const std::vector<int64_t>& shape, const std::string& where) {
  int64_t n = 1;
  for (const int64_t d : shape) {
    check(d >= 0 && !__builtin_mul_overflow(n, d, &n), Fault::kInput, where,
          ": the shape is not one of a tensor");
  }
  return n;
}

TensorInfo parse_tensor(const Json& entry, std::span<const std::byte> data,
                        const std::string& where) {
  TensorInfo t;
  std::vector<uint64_t> offsets;
  try {
    t.dtype = parse_dtype(entry.at("dtype").get<std::string>(), where);
    t.shape = entry.at("shape").get<std::vector<int64_t>>();
    offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  } catch (const nlohmann::json::exception& e) {
    fail(Fault::kInput,
         concat(where, ": expected {\"dtype\", \"shape\", \"data_offsets\"}: ", e.what()));
  }
  check(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data.size(), Fault::kInput,
        where, ": data_offsets do not lie within the file's ", data.size(), " bytes of data");
  const int64_t count = element_count(t.shape, where);
  t.bytes = static_cast<int64_t>(offsets[1] - offsets[0]);
  int64_t expected = 0;
  check(!__builtin_mul_overflow(count, size_of(t.dtype), &expected) && expected == t.bytes,
        Fault::kInput, where, ": ", t.shape_text(), " ", spell(t.dtype), " does not fit into ",
        t.bytes, " bytes");
  t.data = data.data() + offsets[0];
  return t;
}

void check_overlaps(const std::map<std::string, TensorInfo>& tensors, const std::string& file) {
  std::vector<std::pair<const std::byte*, const std::string*>> starts;
  for (const auto& [name, t] : tensors) {
    if (t.bytes > 0) starts.emplace_back(t.data, &name);
  }
  std::sort(starts.begin(), starts.end());
  for (size_t i = 1; i < starts.size(); ++i) {
    check(starts[i - 1].first + tensors.at(*starts[i - 1].second).bytes <= starts[i].first,
          Fault::kInput, file, ": tensors '", *starts[i - 1].second, "' and '", *starts[i].second,
          "' overlap");
  }
}

float f16_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t bits = exponent == 31 ? 0x7f800000u : (exponent + 112) << 23;
  return std::bit_cast<float>(sign | bits | (mantissa << 13));
}

template <class Out>
void read_elements(const TensorInfo& t, Out* out, Out (*convert)(float)) {
  const int64_t n = t.count();
  for (int64_t i = 0; i < n; ++i) {
    float v = 0;
    if (t.dtype == DType::kF32) {
      std::memcpy(&v, t.data + 4 * i, 4);
    } else {
      uint16_t bits;
      std::memcpy(&bits, t.data + 2 * i, 2);
      v = t.dtype == DType::kBF16 ? to_float(bf16{bits}) : f16_to_float(bits);
    }
    out[i] = convert(v);
  }
}

void check_float(const TensorInfo& t) {
  check(t.dtype == DType::kF32 || t.dtype == DType::kBF16 || t.dtype == DType::kF16, Fault::kInput,
        "a tensor of ", spell(t.dtype), " where F32, BF16 or F16 was expected");
}

}  // namespace

int64_t TensorInfo::count() const {
  int64_t n = 1;
  for (const int64_t d : shape) n *= d;
  return n;
}

std::string TensorInfo::shape_text() const {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i) s += concat(i == 0 ? "" : ", ", shape[i]);
  return s + "]";
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : map_(path) {
  const std::string file = path.string();
  const auto bytes = map_.bytes();
  uint64_t header = 0;
  check(bytes.size() >= sizeof header, Fault::kInput, file, ": ", bytes.size(),
        " bytes are too few for a safetensors file");
  std::memcpy(&header, bytes.data(), sizeof header);
  check(header <= kLargestHeader && header <= bytes.size() - sizeof header, Fault::kInput, file,
        ": the header claims ", header, " bytes, the file has ", bytes.size(),
        ": truncated, or not a safetensors file");
  const char* text = reinterpret_cast<const char*>(bytes.data()) + sizeof header;
  const Json json = Json::parse(text, text + header, nullptr, /*allow_exceptions=*/false);
  check(json.is_object(), Fault::kInput, file, ": the header is not a JSON object");
  const auto data = bytes.subspan(sizeof header + header);
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (value.is_string()) metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    tensors_.emplace(name, parse_tensor(entry, data, concat(file, ": tensor '", name, "'")));
  }
  check_overlaps(tensors_, file);
}

const TensorInfo& SafetensorsFile::at(const std::string& name) const {
  const auto it = tensors_.find(name);
  check(it != tensors_.end(), Fault::kInput, path().string(), ": there is no tensor '", name, "'");
  return it->second;
}

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) {
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index)) {
    files_.push_back(std::make_unique<SafetensorsFile>(folder / "model.safetensors"));
    return;
  }
  std::set<std::string> names;
  try {
    const Json json = Json::parse(read_file(index));
    for (const auto& [tensor, file] : json.at("weight_map").items()) {
      names.insert(file.get<std::string>());
    }
  } catch (const nlohmann::json::exception& e) {
    fail(Fault::kInput, concat(index.string(), ": ", e.what()));
  }
  for (const std::string& name : names) {
    check(!name.empty() && fs::path(name).filename() == name && name != "..", Fault::kInput,
          index.string(), ": '", name, "' is not the name of a file in this folder");
    files_.push_back(std::make_unique<SafetensorsFile>(folder / name));
  }
}

const TensorInfo* SafetensorsFolder::find(const std::string& name) const {
  for (const auto& file : files_) {
    const auto it = file->tensors().find(name);
    if (it != file->tensors().end()) return &it->second;
  }
  return nullptr;
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> all;
  for (const auto& file : files_) {
    for (const auto& [name, info] : file->tensors()) all.push_back(name);
  }
  return all;
}

std::string SafetensorsFolder::file_of(const std::string& name) const {
  for (const auto& file : files_) {
    if (file->tensors().contains(name)) return file->path().string();
  }
  return files_.empty() ? std::string() : files_.front()->path().string();
}

void read_as_f32(const TensorInfo& t, float* out) {
  check_float(t);
  read_elements<float>(t, out, [](float v) { return v; });
}

void read_as_bf16(const TensorInfo& t, bf16* out) {
  check_float(t);
  read_elements<bf16>(t, out, [](float v) { return to_bf16(v); });
}

void write_safetensors(const fs::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const TensorToWrite& t : tensors) {
    int64_t bytes = size_of(t.dtype);
    for (const int64_t d : t.shape) bytes *= d;
    json[t.name] = {
        {"dtype", spell(t.dtype)}, {"shape", t.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string header = json.dump();
  constexpr size_t kAlignment = 64;
  while ((header.size() + sizeof(uint64_t)) % kAlignment != 0) header.push_back(' ');
  const uint64_t size = header.size();
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(header);
  for (const TensorToWrite& t : tensors) {
    const auto& offsets = json[t.name]["data_offsets"];
    file.write(t.data, offsets[1].get<size_t>() - offsets[0].get<size_t>());
  }
  file.commit();
}

namespace {

const Register<Format> safetensors_format{
    {"safetensors", ".safetensors", "read, write", "weights in the layout of Hugging Face"}};

}  // namespace

}  // namespace llmtool
