// JSON text as simdjson reads it, with the numbers that it has no type for.
#pragma once

#include <simdjson.h>
#include <string>
#include <string_view>

namespace llmtool {

// RFC 8259 sets no limit to a number, simdjson refuses one beyond 64 bits or a double. Such numbers
// become strings of the same characters, everything else stays. json need not be valid.
std::string with_large_numbers_as_strings(std::string_view json);

// parser.parse(json); if a number stopped it, of with_large_numbers_as_strings(json), and `changed`
// is set if it is given.
simdjson::simdjson_result<simdjson::dom::element> parse_json(simdjson::dom::parser& parser,
                                                             std::string_view json,
                                                             bool* changed = nullptr);

}  // namespace llmtool
