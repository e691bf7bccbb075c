#include "lib/io/document.h"

#include "lib/base/error.h"
#include "lib/io/json_members.h"
#include "lib/io/json_numbers.h"
#include "lib/io/jsonl.h"

namespace llmtool {
namespace {

namespace dom = simdjson::dom;

// The parser keeps its memory from one document to the next; a result lives until the next call.
dom::element parse_line(std::string_view line) {
  thread_local dom::parser parser;
  return parse_json(parser, line);
}

dom::element parse_value(std::string_view json) {
  thread_local dom::parser parser;
  return parse_json(parser, json);
}

MemberValue value_of(const dom::element& value) {
  MemberValue found;
  if (value.is_null()) return found;
  found.found = true;
  std::string_view text;
  if (value.is_number()) {
    found.is_number = true;
    found.number = value.get<double>();
  }
  found.text = value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(value);
  return found;
}

const std::vector<Attribute>* added_members(const Document& document, std::string_view name) {
  if (name == "metadata") return &document.metadata;
  if (name == "attributes") return &document.attributes;
  return nullptr;
}

const Attribute* find_last(const std::vector<Attribute>& added, std::string_view name) {
  for (auto at = added.rbegin(); at != added.rend(); ++at) {
    if (at->name == name) return &*at;
  }
  return nullptr;
}

MemberValue read_member(const Document& document, std::string_view path) {
  if (document.line.empty()) return {};
  dom::element at = parse_line(document.line);
  while (true) {
    const size_t dot = path.find('.');
    dom::object members;
    if (at.get(members)) return {};
    // A member whose own name has a dot in it is found by the whole rest of the path.
    dom::element next;
    if (!members.at_key(path).get(next)) return value_of(next);
    if (dot == path.npos || members.at_key(path.substr(0, dot)).get(next)) return {};
    at = next;
    path.remove_prefix(dot + 1);
  }
}

class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_.push_back('{'); }
  void add(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
  }
  void add_text(std::string_view name, std::string_view text) {
    begin(name);
    append_json_string(out_, text);
  }
  // A name with its escapes, and a value, as they stand in another object.
  void add_raw(std::string_view name, std::string_view json) {
    next();
    out_.append("\"").append(name).append("\":").append(json);
  }
  void begin(std::string_view name) {
    next();
    append_json_string(out_, name);
    out_.push_back(':');
  }
  void end() { out_.push_back('}'); }

 private:
  void next() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

// The members that were there but those that were added anew, then these.
void append_merged(std::string& out, const Document& document, std::string_view member,
                   std::string_view before, const std::vector<Attribute>& added) {
  check(before.empty() || before.starts_with('{') || before == "null", Fault::kInput,
        where(document), ": '", member, "' is no object, and a step adds '", added.front().name,
        "' to it");
  Members members(out);
  if (before.starts_with('{')) {
    for_each_member(before, [&](std::string_view name, std::string_view value) {
      if (find_last(added, name) == nullptr) members.add_raw(name, value);
    });
  }
  for (const Attribute& attribute : added) {
    if (find_last(added, attribute.name) == &attribute) {
      members.add(attribute.name, attribute.json);
    }
  }
  members.end();
}

bool is_unchanged(const Document& document) {
  return !document.line.empty() && !document.text_changed && document.metadata.empty() &&
         document.attributes.empty();
}

bool is_own_member(std::string_view name, std::string_view text_member) {
  return name == "id" || name == text_member || name == "metadata" || name == "attributes";
}

}  // namespace

std::string where(const Document& document) {
  return concat(document.path == "-" ? std::string_view("standard input") : document.path, ":",
                document.line_number);
}

MemberValue member(const Document& document, std::string_view path) {
  check(!path.empty() && path.front() != '.' && path.back() != '.', Fault::kUsage, "'", path,
        "' names no member of a document");
  if (path == "id") return {!document.id.empty(), false, 0, document.id};
  if (path == "text") return {true, false, 0, document.text};
  const size_t dot = path.find('.');
  if (dot != path.npos) {
    const auto* added = added_members(document, path.substr(0, dot));
    const Attribute* found = added ? find_last(*added, path.substr(dot + 1)) : nullptr;
    if (found != nullptr) return value_of(parse_value(found->json));
  }
  return read_member(document, path);
}

MemberValue required_member(const Document& document, std::string_view path) {
  MemberValue value = member(document, path);
  if (!value.found) {
    fail(Fault::kInput, concat(where(document), ": the document has no '", path, "'"),
         "a step before this one has to add it, or the input has to carry it");
  }
  return value;
}

MemberValue url_of(const Document& document) {
  MemberValue url = member(document, "metadata.url");
  return url.found ? url : member(document, "url");
}

std::string json_number(double value) {
  if (!(value - value == 0)) return "null";  // JSON has neither infinity nor NaN
  return concat(value);
}

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void append_document(std::string& out, const Document& document) {
  if (is_unchanged(document)) {
    out.append(document.line).push_back('\n');
    return;
  }
  std::string_view id, metadata, attributes;  // as they were read, the first of each
  std::vector<std::pair<std::string_view, std::string_view>> others;
  const std::string_view line = document.line.empty() ? std::string_view("{}") : document.line;
  for_each_member(line, [&](std::string_view name, std::string_view value) {
    if (name == "id" && id.empty()) id = value;
    if (name == "metadata" && metadata.empty()) metadata = value;
    if (name == "attributes" && attributes.empty()) attributes = value;
    if (!is_own_member(name, document.text_member)) others.emplace_back(name, value);
  });
  Members members(out);
  if (!id.empty()) {
    members.add("id", id);
  } else if (!document.id.empty()) {
    members.add_text("id", document.id);
  }
  members.add_text(document.text_member, document.text);
  const auto add_merged = [&](std::string_view name, std::string_view before,
                              const std::vector<Attribute>& added) {
    if (added.empty() && before.empty()) return;
    members.begin(name);
    if (added.empty()) {
      out += before;
    } else {
      append_merged(out, document, name, before, added);
    }
  };
  add_merged("metadata", metadata, document.metadata);
  add_merged("attributes", attributes, document.attributes);
  for (const auto& [name, value] : others) members.add_raw(name, value);
  members.end();
  out.push_back('\n');
}

std::string json_line(std::string_view id, std::string_view text) {
  Document document;
  document.id = id;
  document.text = text;
  std::string line;
  append_document(line, document);
  return line;
}

}  // namespace llmtool
