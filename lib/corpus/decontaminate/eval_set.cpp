#include "lib/corpus/decontaminate/eval_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/io/json_depth.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuestions[] = {"question", "Question",    "query",
                                           "context",  "prompt",      "text",
                                           "turns",    "instruction", "sent_more"};
constexpr std::string_view kAnswers[] = {
    "answer", "answers", "aliases",    "continuation", "canonical_solution",
    "code",   "output",  "Best Answer"};

// Strings, numbers, and lists of them, one text each.
void append_texts(const Json& value, std::vector<std::string>& texts) {
  if (value.is_string()) {
    texts.push_back(value.get<std::string>());
  } else if (value.is_number()) {
    texts.push_back(value.dump());
  } else if (value.is_array()) {
    for (const Json& entry : value) append_texts(entry, texts);
  }
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += '\n';
    all += text;
  }
  return all;
}

void strip_space(std::string_view& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) {
    text = {};
    return;
  }
  text = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string without_labels(std::string_view text) {
  strip_space(text);
  for (const std::string_view label : {"Question:", "Q:"}) {
    if (text.substr(0, label.size()) == label) {
      text.remove_prefix(label.size());
      break;
    }
  }
  strip_space(text);
  for (const std::string_view label : {"Answer:", "A:"}) {
    if (text.size() >= label.size() && text.substr(text.size() - label.size()) == label) {
      text.remove_suffix(label.size());
      break;
    }
  }
  strip_space(text);
  return std::string(text);
}

void add_answer(EvalItem& item, std::string answer) {
  std::string_view view = answer;
  strip_space(view);
  if (!view.empty() &&
      std::find(item.answers.begin(), item.answers.end(), view) == item.answers.end()) {
    item.answers.emplace_back(view);
  }
}

// The choice that a number names; npos if there is none.
size_t chosen(const Json& row) {
  for (const char* name : {"gold", "answer", "label"}) {
    if (row.contains(name) && row[name].is_number_integer() && row[name] >= 0) return row[name];
  }
  return std::string::npos;
}

void read_answers(const Json& row, const EvalFields& fields, EvalItem& item) {
  std::vector<std::string> texts;
  const size_t gold = chosen(row);
  if (!fields.answer.empty()) {
    append_texts(row[fields.answer], texts);
  } else if (row.contains("choices") && row["choices"].is_array() && gold < row["choices"].size()) {
    append_texts(row["choices"][gold], texts);
  } else {
    for (const std::string_view name : kAnswers) {
      const auto found = row.find(name);
      if (found != row.end()) append_texts(*found, texts);
    }
  }
  for (std::string& text : texts) add_answer(item, std::move(text));
}

std::string read_question(const Json& row, const EvalFields& fields, const std::string& where) {
  std::vector<std::string> texts;
  const size_t gold = chosen(row);
  if (!fields.question.empty()) {
    check(row.contains(fields.question), Fault::kInput, where, ": no member '", fields.question,
          "'");
    append_texts(row[fields.question], texts);
  } else if (row.contains("context_options") && row["context_options"].is_array() &&
             gold < row["context_options"].size()) {
    append_texts(row["context_options"][gold], texts);
  } else {
    for (const std::string_view name : kQuestions) {
      const auto found = row.find(name);
      if (found == row.end()) continue;
      append_texts(*found, texts);
      break;
    }
  }
  if (texts.empty()) {
    fail(Fault::kInput, concat(where, ": no question"),
         "name the members with --question-field and --answer-field");
  }
  return without_labels(joined(texts));
}

std::vector<EvalItem> read_lines(const fs::path& path, const std::string& set,
                                 const EvalFields& fields) {
  std::vector<EvalItem> items;
  LineReader lines(path);
  for (std::string_view line; lines.next(line);) {
    strip_space(line);
    if (line.empty()) continue;
    check(!nests_too_deeply(line), Fault::kInput, lines.where(), ": nested too deeply");
    const Json row = Json::parse(line, nullptr, false);
    check(row.is_object(), Fault::kInput, lines.where(), ": expected a JSON object");
    check(fields.answer.empty() || row.contains(fields.answer), Fault::kInput, lines.where(),
          ": no member '", fields.answer, "'");
    EvalItem item{set, items.size() + 1, read_question(row, fields, lines.where()), {}};
    read_answers(row, fields, item);
    items.push_back(std::move(item));
  }
  return items;
}

using Row = std::vector<std::string>;

// RFC 4180: fields in double quotes may hold commas, line ends and doubled quotes.
std::vector<Row> parse_csv(std::string_view text) {
  std::vector<Row> rows;
  Row row;
  std::string field;
  bool quoted = false;
  const auto end_row = [&] {
    row.push_back(std::move(field));
    field.clear();
    if (row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
    row.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += text[++i];
    } else if (c == '"' && (quoted || field.empty())) {
      quoted = !quoted;
    } else if (quoted || (c != ',' && c != '\n' && c != '\r')) {
      field += c;
    } else if (c == ',') {
      row.push_back(std::move(field));
      field.clear();
    } else if (c == '\n') {
      end_row();
    }
  }
  if (!field.empty() || !row.empty()) end_row();
  return rows;
}

size_t column(const Row& names, std::string_view name) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

// The column of the question; names.size() if there is none.
size_t question_column(const Row& names, const EvalFields& fields) {
  if (!fields.question.empty()) return column(names, fields.question);
  for (const std::string_view name : kQuestions) {
    if (column(names, name) < names.size()) return column(names, name);
  }
  return names.size();
}

void read_cells(const Row& names, const Row& row, const EvalFields& fields, EvalItem& item) {
  const auto cell = [&](std::string_view name) {
    const size_t i = column(names, name);
    return i < row.size() ? row[i] : std::string();
  };
  if (!fields.answer.empty()) {
    add_answer(item, cell(fields.answer));
    return;
  }
  const std::string choice = cell(concat("choice", cell("answer")));
  if (!choice.empty()) {
    add_answer(item, choice);
    return;
  }
  for (const std::string_view name : kAnswers) add_answer(item, cell(name));
  const std::string many = cell("Correct Answers");
  for (size_t i = 0; i < many.size();) {
    const size_t end = std::min(many.find("; ", i), many.size());
    add_answer(item, many.substr(i, end - i));
    i = end + 2;
  }
}

std::vector<EvalItem> read_csv(const fs::path& path, const std::string& set,
                               const EvalFields& fields) {
  const std::vector<Row> rows = parse_csv(read_file(path));
  if (rows.empty()) return {};
  Row names = rows[0];
  size_t first = 1, question = question_column(names, fields);
  const bool has_letter = names.size() == 6 && names[5].size() == 1 && fields.question.empty();
  if (question == names.size() && has_letter) {  // MMLU without names
    names = {"question", "choiceA", "choiceB", "choiceC", "choiceD", "answer"};
    question = first = 0;
  }
  if (question >= names.size()) {
    fail(Fault::kInput, concat(path.string(), ":1: no column of questions"),
         "name the columns with --question-field and --answer-field");
  }
  check(fields.answer.empty() || column(names, fields.answer) < names.size(), Fault::kInput,
        path.string(), ":1: no column '", fields.answer, "'");
  std::vector<EvalItem> items;
  for (size_t i = first; i < rows.size(); ++i) {
    check(rows[i].size() > question, Fault::kInput, path.string(), ": row ", i + 1, " has ",
          rows[i].size(), " columns, expected ", names.size());
    EvalItem item{set, items.size() + 1, without_labels(rows[i][question]), {}};
    read_cells(names, rows[i], fields, item);
    items.push_back(std::move(item));
  }
  return items;
}

fs::path unpacked_name(const fs::path& path) {
  const fs::path name = path.filename();
  return name.extension() == ".gz" || name.extension() == ".zst" ? name.stem() : name;
}

}  // namespace

std::vector<std::string> eval_set_names(const std::vector<fs::path>& paths) {
  std::vector<std::string> names;
  std::vector<fs::path> folders;  // what is left before the name
  for (const fs::path& path : paths) {
    const fs::path whole = fs::absolute(path).lexically_normal();
    names.push_back(with_valid_utf8(unpacked_name(whole).stem().string()));
    folders.push_back(whole.parent_path());
  }
  for (size_t i = 0; i < names.size(); ++i) {  // gsm8k.jsonl beside gsm8k.csv
    for (size_t j = 0; j < names.size(); ++j) {
      const bool beside = i != j && folders[i] == folders[j];
      if (!beside || unpacked_name(paths[i]).stem() != unpacked_name(paths[j]).stem()) continue;
      check(paths[i].filename() != paths[j].filename(), Fault::kUsage, "the evaluation set '",
            paths[i].string(), "' is given twice");
      names[i] = with_valid_utf8(paths[i].filename().string());
    }
  }
  const auto is_shared = [&](const std::string& name) {
    return std::ranges::count(names, name) > 1;
  };
  while (true) {
    const std::vector<std::string> before = names;
    for (size_t i = 0; i < names.size(); ++i) {
      if (std::ranges::count(before, before[i]) == 1) continue;
      if (!folders[i].has_filename()) continue;
      names[i] = with_valid_utf8(folders[i].filename().string()) + "/" + names[i];
      folders[i] = folders[i].parent_path();
    }
    if (std::ranges::none_of(names, is_shared) || names == before) return names;
  }
}

std::vector<EvalItem> read_eval_set(const fs::path& path, const EvalFields& fields) {
  const bool csv = unpacked_name(path).extension() == ".csv";
  const std::string set = eval_set_names({path})[0];
  std::vector<EvalItem> items = csv ? read_csv(path, set, fields) : read_lines(path, set, fields);
  for (EvalItem& item : items) {
    item.question = with_valid_utf8(item.question);
    for (std::string& answer : item.answers) answer = with_valid_utf8(answer);
  }
  check(!items.empty(), Fault::kInput, path.string(), ": no items");
  return items;
}

}  // namespace llmtool
