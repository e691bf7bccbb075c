#include "lib/io/parquet_arrow_values.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <arrow/util/float16.h>
#include <charconv>
#include <chrono>
#include <cmath>

#include "lib/base/error.h"
#include "lib/io/document.h"
#include "lib/io/jsonl.h"

namespace llmtool {
namespace {

using arrow::Array;
using arrow::DataType;
using arrow::Type;
using arrow::internal::checked_cast;

int64_t per_second(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    default:
      return 1'000'000'000;
  }
}

int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

void append_digits(std::string& out, uint64_t value, size_t width) {
  const std::string digits = concat(value);
  out.append(width > digits.size() ? width - digits.size() : 0, '0').append(digits);
}

// False outside the years 0 to 9999.
bool append_date(std::string& out, int64_t days) {
  constexpr int64_t kFirst = -719'528, kLast = 2'932'896;
  if (days < kFirst || days > kLast) return false;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  append_digits(out, static_cast<uint64_t>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  return true;
}

// "12:00:00", and the part of a second up to its last digit that is not 0.
void append_time(std::string& out, int64_t value, int64_t per) {
  const int64_t seconds = value / per;
  append_digits(out, static_cast<uint64_t>(seconds / 3600), 2);
  out.push_back(':');
  append_digits(out, static_cast<uint64_t>(seconds / 60 % 60), 2);
  out.push_back(':');
  append_digits(out, static_cast<uint64_t>(seconds % 60), 2);
  if (value % per == 0) return;
  out.push_back('.');
  const size_t width = concat(per).size() - 1;
  append_digits(out, static_cast<uint64_t>(value % per), width);
  out.erase(out.find_last_not_of('0') + 1);
}

void append_days(std::string& out, int64_t days) {
  const size_t before = out.size();
  out.push_back('"');
  if (append_date(out, days)) {
    out.push_back('"');
    return;
  }
  out.resize(before);
  out += concat(days);
}

void append_timestamp(std::string& out, int64_t value, const arrow::TimestampType& type) {
  const int64_t per = per_second(type.unit()), per_day = 86'400 * per;
  const int64_t days = floor_divide(value, per_day);
  const size_t before = out.size();
  out.push_back('"');
  if (!append_date(out, days)) {
    out.resize(before);
    out += concat(value);
    return;
  }
  out.push_back('T');
  append_time(out, value - days * per_day, per);
  out += type.timezone().empty() ? "\"" : "Z\"";
}

void append_time_of_day(std::string& out, int64_t value, arrow::TimeUnit::type unit) {
  const int64_t per = per_second(unit);
  if (value < 0 || value >= 86'400 * per) {
    out += concat(value);
    return;
  }
  out.push_back('"');
  append_time(out, value, per);
  out.push_back('"');
}

void append_float(std::string& out, float value) {
  char digits[32];
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, end);
}

// Whole numbers that 64 bits may not hold are texts: readers of JSON refuse or round them.
void append_decimal(std::string& out, const std::string& digits) {
  constexpr size_t kMostDigits = 18;
  const bool is_whole = digits.find_first_of(".eE") == digits.npos;
  out += is_whole && digits.size() > kMostDigits ? concat("\"", digits, "\"") : digits;
}

template <class ArrayType>
auto value_of(const Array& array, int64_t i) {
  return checked_cast<const ArrayType&>(array).Value(i);
}

template <class ArrayType>
void append_text(std::string& out, const Array& array, int64_t i) {
  append_json_string(out, checked_cast<const ArrayType&>(array).GetView(i));
}

template <class ArrayType>
void append_list(std::string& out, const Array& array, int64_t i, size_t max_bytes) {
  const auto& list = checked_cast<const ArrayType&>(array);
  const auto values = list.values();
  const int64_t begin = list.value_offset(i), end = begin + list.value_length(i);
  out.push_back('[');
  for (int64_t at = begin; at < end; ++at) {
    if (at > begin) out.push_back(',');
    append_arrow_value(out, *values, at, max_bytes);
  }
  out.push_back(']');
}

void append_struct(std::string& out, const arrow::StructArray& array, int64_t i, size_t max_bytes) {
  const DataType& type = *array.type();
  out.push_back('{');
  for (int f = 0; f < type.num_fields(); ++f) {
    if (f > 0) out.push_back(',');
    append_json_string(out, type.field(f)->name());
    out.push_back(':');
    append_arrow_value(out, *array.field(f), i, max_bytes);
  }
  out.push_back('}');
}

bool is_text(const DataType& type) {
  return arrow::is_base_binary_like(type.id()) || arrow::is_binary_view_like(type.id());
}

void append_map(std::string& out, const arrow::MapArray& map, int64_t i, size_t max_bytes) {
  const auto keys = map.keys(), items = map.items();
  const bool is_object = is_text(*keys->type());
  const int64_t begin = map.value_offset(i), end = begin + map.value_length(i);
  out.push_back(is_object ? '{' : '[');
  for (int64_t at = begin; at < end; ++at) {
    if (at > begin) out.push_back(',');
    if (!is_object) out.push_back('[');
    append_arrow_value(out, *keys, at, max_bytes);
    out.push_back(is_object ? ':' : ',');
    append_arrow_value(out, *items, at, max_bytes);
    if (!is_object) out.push_back(']');
  }
  out.push_back(is_object ? '}' : ']');
}

// False for what is no number, date or time.
bool append_plain(std::string& out, const Array& array, int64_t i) {
  switch (array.type_id()) {
    case Type::BOOL:
      out += value_of<arrow::BooleanArray>(array, i) ? "true" : "false";
      return true;
    case Type::INT8:
      out += concat(int{value_of<arrow::Int8Array>(array, i)});
      return true;
    case Type::INT16:
      out += concat(int{value_of<arrow::Int16Array>(array, i)});
      return true;
    case Type::INT32:
      out += concat(value_of<arrow::Int32Array>(array, i));
      return true;
    case Type::INT64:
      out += concat(value_of<arrow::Int64Array>(array, i));
      return true;
    case Type::UINT8:
      out += concat(unsigned{value_of<arrow::UInt8Array>(array, i)});
      return true;
    case Type::UINT16:
      out += concat(unsigned{value_of<arrow::UInt16Array>(array, i)});
      return true;
    case Type::UINT32:
      out += concat(value_of<arrow::UInt32Array>(array, i));
      return true;
    case Type::UINT64:
      out += concat(value_of<arrow::UInt64Array>(array, i));
      return true;
    case Type::DURATION:
      out += concat(value_of<arrow::DurationArray>(array, i));
      return true;
    case Type::HALF_FLOAT:
      append_float(
          out, arrow::util::Float16::FromBits(value_of<arrow::HalfFloatArray>(array, i)).ToFloat());
      return true;
    case Type::FLOAT:
      append_float(out, value_of<arrow::FloatArray>(array, i));
      return true;
    case Type::DOUBLE:
      out += json_number(value_of<arrow::DoubleArray>(array, i));
      return true;
    case Type::DECIMAL32:
      append_decimal(out, checked_cast<const arrow::Decimal32Array&>(array).FormatValue(i));
      return true;
    case Type::DECIMAL64:
      append_decimal(out, checked_cast<const arrow::Decimal64Array&>(array).FormatValue(i));
      return true;
    case Type::DECIMAL128:
      append_decimal(out, checked_cast<const arrow::Decimal128Array&>(array).FormatValue(i));
      return true;
    case Type::DECIMAL256:
      append_decimal(out, checked_cast<const arrow::Decimal256Array&>(array).FormatValue(i));
      return true;
    case Type::DATE32:
      append_days(out, value_of<arrow::Date32Array>(array, i));
      return true;
    case Type::DATE64:
      append_days(out, floor_divide(value_of<arrow::Date64Array>(array, i), 86'400'000));
      return true;
    case Type::TIME32:
      append_time_of_day(out, value_of<arrow::Time32Array>(array, i),
                         checked_cast<const arrow::Time32Type&>(*array.type()).unit());
      return true;
    case Type::TIME64:
      append_time_of_day(out, value_of<arrow::Time64Array>(array, i),
                         checked_cast<const arrow::Time64Type&>(*array.type()).unit());
      return true;
    case Type::TIMESTAMP:
      append_timestamp(out, value_of<arrow::TimestampArray>(array, i),
                       checked_cast<const arrow::TimestampType&>(*array.type()));
      return true;
    default:
      return false;
  }
}

bool append_binary(std::string& out, const Array& array, int64_t i) {
  switch (array.type_id()) {
    case Type::STRING:
    case Type::BINARY:
      append_text<arrow::BinaryArray>(out, array, i);
      return true;
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      append_text<arrow::LargeBinaryArray>(out, array, i);
      return true;
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      append_text<arrow::BinaryViewArray>(out, array, i);
      return true;
    case Type::FIXED_SIZE_BINARY:
      append_text<arrow::FixedSizeBinaryArray>(out, array, i);
      return true;
    default:
      return false;
  }
}

bool append_nested(std::string& out, const Array& array, int64_t i, size_t max_bytes) {
  switch (array.type_id()) {
    case Type::LIST:
      append_list<arrow::ListArray>(out, array, i, max_bytes);
      return true;
    case Type::LARGE_LIST:
      append_list<arrow::LargeListArray>(out, array, i, max_bytes);
      return true;
    case Type::FIXED_SIZE_LIST:
      append_list<arrow::FixedSizeListArray>(out, array, i, max_bytes);
      return true;
    case Type::MAP:
      append_map(out, checked_cast<const arrow::MapArray&>(array), i, max_bytes);
      return true;
    case Type::STRUCT:
      append_struct(out, checked_cast<const arrow::StructArray&>(array), i, max_bytes);
      return true;
    default:
      return false;
  }
}

bool is_known(Type::type id) {
  return id == Type::NA || id == Type::BOOL || id == Type::DURATION || arrow::is_numeric(id) ||
         arrow::is_decimal(id) || arrow::is_date(id) || arrow::is_time(id) ||
         id == Type::TIMESTAMP || arrow::is_base_binary_like(id) ||
         arrow::is_binary_view_like(id) || id == Type::FIXED_SIZE_BINARY || id == Type::LIST ||
         id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST || id == Type::MAP ||
         id == Type::STRUCT;
}

}  // namespace

void check_parquet_type(const DataType& type, const std::string& what) {
  if (type.id() == Type::DICTIONARY) {
    return check_parquet_type(*checked_cast<const arrow::DictionaryType&>(type).value_type(), what);
  }
  if (type.id() == Type::EXTENSION) {
    return check_parquet_type(*checked_cast<const arrow::ExtensionType&>(type).storage_type(),
                              what);
  }
  check(is_known(type.id()), Fault::kInput, what, " is of type ", type.ToString(),
        ", expected texts, numbers, booleans, times, lists, structs or maps");
  for (const auto& field : type.fields()) check_parquet_type(*field->type(), what);
}

void append_arrow_value(std::string& out, const Array& array, int64_t i, size_t max_bytes) {
  check(out.size() <= max_bytes, Fault::kInput, "a row of more than ", max_bytes, " bytes");
  if (array.IsNull(i) || array.type_id() == Type::NA) {
    out += "null";
  } else if (array.type_id() == Type::DICTIONARY) {
    const auto& indexed = checked_cast<const arrow::DictionaryArray&>(array);
    append_arrow_value(out, *indexed.dictionary(), indexed.GetValueIndex(i), max_bytes);
  } else if (array.type_id() == Type::EXTENSION) {
    append_arrow_value(out, *checked_cast<const arrow::ExtensionArray&>(array).storage(), i,
                       max_bytes);
  } else {
    LLMTOOL_ASSERT(append_binary(out, array, i) || append_plain(out, array, i) ||
                   append_nested(out, array, i, max_bytes));
  }
}

}  // namespace llmtool
