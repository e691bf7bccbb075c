// The members of a JSON object as they stand in its text, byte for byte.
#pragma once

#include <functional>
#include <string_view>

namespace llmtool {

// Calls f(name, value) for each member of an object, in order: the name without its quotes and with
// its escapes as they are, the value as it stands there. object: valid JSON, an object.
void for_each_member(std::string_view object,
                     const std::function<void(std::string_view name, std::string_view value)>& f);

// Behind the string that begins at json[at] with its quote: a quote ends it that an even number of
// backslashes stands before. The end of json if none does.
size_t json_string_end(std::string_view json, size_t at);

}  // namespace llmtool
