#include "lib/corpus/dedup/exact_dedup.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "tests/corpus/dedup/step_runner.h"

using namespace llmtool;

namespace {

MakeStep maker(const ExactDedupOptions& options) {
  return [options] { return std::make_unique<ExactDedup>(options); };
}

std::vector<Document> run_exact(const ExactDedupOptions& options, std::vector<Document> documents,
                                StepRun run = {}, RecordedTally* tally = nullptr) {
  const ScratchFolder folder;
  return run_step(maker(options), std::move(documents), folder.path() / "step", run, tally);
}

std::string text_after(const ExactDedupOptions& options, const std::string& text) {
  const auto documents = run_exact(options, {text_document("a", text)});
  return documents[0].rejected ? "<" + documents[0].rejection.rule + ">" : documents[0].text;
}

// Documents of a few lines out of a few hundred.
std::vector<Document> random_documents(size_t count) {
  const Rng rng(11);
  std::vector<Document> documents;
  uint64_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    const uint64_t lines = 1 + rng.below(at++, 4);
    for (uint64_t j = 0; j < lines; ++j) {
      const bool capital = rng.below(at++, 3) == 0;
      text += concat(j > 0 ? "\n" : "", "Line ", capital ? "X" : "x", rng.below(at++, 300));
    }
    documents.push_back(text_document(concat("d", i), text));
  }
  return documents;
}

std::string all_text(const std::vector<Document>& documents) {
  std::string all;
  for (const Document& d : documents) {
    all += concat(d.id, d.rejected ? "-" : "+", d.rejection.rule, d.rejection.figure, d.text, "\n");
  }
  return all;
}

std::multiset<std::string> kept_texts(const std::vector<Document>& documents) {
  std::multiset<std::string> texts;
  for (const Document& d : documents) {
    if (!d.rejected) texts.insert(d.text);
  }
  return texts;
}

Fault fault_of(const ExactDedupOptions& options) {
  try {
    ExactDedup step(options);
  } catch (const Error& e) {
    return e.fault();
  }
  return Fault::kFailed;
}

}  // namespace

TEST_CASE("dedup exact: documents by each rule") {
  const std::vector<Document> documents{
      text_document("a", "One two"), text_document("b", "one two"), text_document("c", "other"),
      text_document("d", "one two "), text_document("e", "one two")};
  using Ids = std::vector<std::string>;
  CHECK(kept_ids(run_exact({}, documents)) == Ids{"a", "b", "c", "d"});
  CHECK(kept_ids(run_exact({.keep = "none"}, documents)) == Ids{"a", "c", "d"});
  CHECK(kept_ids(run_exact({.normalise = "lower"}, documents)).size() == 3);  // c, d, one more
  CHECK(kept_ids(run_exact({.normalise = "ccnet"}, documents)) == Ids{"c", "d"});
  CHECK(kept_ids(run_exact({.normalise = "ccnet", .keep = "first"}, documents)) == Ids{"a", "c"});
  const auto kept = run_exact({.normalise = "ccnet"}, documents);
  CHECK(kept[0].rejection.rule == "duplicate");
  CHECK(kept[0].rejection.figure == "d");
}

TEST_CASE("dedup exact: short documents stay, copies or not") {
  const std::vector<Document> documents{text_document("a", "hi"), text_document("b", "yo"),
                                        text_document("c", "a long text"), text_document("d", "hi"),
                                        text_document("e", "a long text")};
  using Ids = std::vector<std::string>;
  const ScratchFolder folder;
  for (const std::string keep : {"first", "longest", "none"}) {
    CAPTURE(keep);
    ExactDedupOptions options{.keep = keep, .min_chars = 5};
    CHECK(kept_ids(run_exact(options, documents)) ==
          (keep == "none" ? Ids{"a", "b", "d"} : Ids{"a", "b", "c", "d"}));
    options.index = folder.path() / keep;
    run_exact(options, documents);
    CHECK(kept_ids(run_exact(options, documents)) == Ids{"a", "b", "d"});
  }
  CHECK(kept_ids(run_exact({.keep = "longest", .min_chars = 50}, documents)).size() == 5);
}

TEST_CASE("dedup exact: lines, paragraphs and blocks") {
  CHECK(text_after({.unit = "line"}, "a\n\nb\n\na\nA\n") == "a\n\nb\n\nA\n");
  CHECK(text_after({.unit = "line", .keep = "none"}, "a\nb\na") == "b");
  CHECK(text_after({.unit = "line", .keep = "none"}, "a\na\n") == "<empty>");
  CHECK(text_after({.unit = "line", .min_chars = 3}, "ab\nabc\nab\n abc \nabc") ==
        "ab\nabc\nab\n abc ");
  CHECK(text_after({.unit = "line", .min_bytes = 9}, "abcd\nabcd\nef") == "<min_bytes>");
  // CCNet: every copy goes, empty lines too.
  CHECK(text_after({.unit = "paragraph"}, "Page 1\n\nText — here\n\n page 2 ") == "Text — here");
  CHECK(text_after({.unit = "paragraph", .keep = "first"}, "Page 1\n\nText\n\n page 2 ") ==
        "Page 1\n\nText");
  CHECK(text_after({.unit = "block"}, "\na\nb\n \nc\n\na\nb\n\n\nd\n") == "\na\nb\n \nc\n\n\nd\n");
  CHECK(text_after({.unit = "block", .keep = "none"}, "a\n\nb\n\n\na") == "b");
}

TEST_CASE("dedup exact: what was removed is told") {
  RecordedTally tally;
  run_exact({.unit = "line"}, {text_document("a", "x\ny\nx"), text_document("b", "y\nz")}, {},
            &tally);
  CHECK(tally.changes["lines"] == 2);
  CHECK(tally.removed_bytes == 4);
  CHECK(tally.removed_text == "x\ny\n");
}

TEST_CASE("dedup exact: the same bytes at any number of threads, any memory, killed anywhere") {
  const std::vector<Document> documents = random_documents(3000);
  for (const std::string unit : {"document", "line", "paragraph"}) {
    for (const std::string keep : {"first", "none", "longest"}) {
      if (unit != "document" && keep == "longest") continue;
      const ExactDedupOptions options{.unit = unit, .normalise = "lower", .keep = keep};
      const std::string expected = all_text(run_exact(options, documents));
      INFO(unit << " " << keep);
      for (const StepRun run : {StepRun{.threads = 4}, StepRun{.memory = 5000},
                                StepRun{.threads = 3, .memory = 30000, .stop_at = 1},
                                StepRun{.stop_at = 1777}, StepRun{.stop_at = 2999}}) {
        CHECK(all_text(run_exact(options, documents, run)) == expected);
      }
    }
  }
}

TEST_CASE("dedup exact: inputs in any order, the same set kept") {
  std::vector<Document> documents = random_documents(2000);
  for (Document& d : documents) d.line = R"({"id": "x", "text": "", "score": 3})";
  const std::vector<ExactDedupOptions> rules{
      {},  // copies to the byte
      {.keep = "none"},
      {.normalise = "lower"},
      {.normalise = "lower", .keep = "smallest-hash"},
      {.normalise = "lower", .keep = "highest", .keep_by = "score"},
      {.unit = "paragraph"}};
  for (const ExactDedupOptions& rule : rules) {
    const auto expected = kept_texts(run_exact(rule, documents));
    std::vector<Document> reversed(documents.rbegin(), documents.rend());
    CHECK(kept_texts(run_exact(rule, reversed)) == expected);
    std::rotate(reversed.begin(), reversed.begin() + 700, reversed.end());
    CHECK(kept_texts(run_exact(rule, reversed)) == expected);
  }
}

TEST_CASE("dedup exact: an index stands for the documents of earlier runs") {
  const std::vector<Document> documents = random_documents(1500);
  const std::vector<Document> early(documents.begin(), documents.begin() + 800);
  const std::vector<Document> late(documents.begin() + 800, documents.end());
  for (const std::string unit : {"document", "line"}) {
    const ScratchFolder folder;
    ExactDedupOptions options{.unit = unit};
    const std::string at_once = all_text(run_exact(options, documents));
    options.index = folder.path() / "index";
    std::string in_two = all_text(run_exact(options, early));
    in_two += all_text(run_exact(options, late, {.memory = 4096}));
    CHECK(in_two == at_once);
    // Nothing is new now, by whatever rule.
    CHECK(kept_texts(run_exact({.unit = unit, .min_bytes = 1, .index = options.index}, documents))
              .empty());
    options.keep = "none";
    CHECK(kept_texts(run_exact(options, documents)).empty());
  }
}

TEST_CASE("dedup exact: every copy goes, in memory and on the disk alike, beside an index too") {
  const std::vector<Document> documents = random_documents(1500);
  const std::vector<Document> early(documents.begin(), documents.begin() + 700);
  const std::vector<Document> late(documents.begin() + 700, documents.end());
  std::set<std::string> found;
  for (const size_t memory : {size_t{64} << 20, size_t{4096}}) {
    for (const size_t stop_at : {size_t{10000}, size_t{333}}) {
      const ScratchFolder folder;
      const ExactDedupOptions options{.unit = "paragraph", .index = folder.path() / "index/"};
      std::string all = all_text(run_exact(options, early, {.memory = memory}));
      std::unique_ptr<Step> step;
      all += all_text(run_step(maker(options), late, folder.path() / "step",
                               {.memory = memory, .stop_at = stop_at}, nullptr, &step));
      for (const Fact& f : step->facts()) all += concat(f.name, ": ", f.text, "\n");
      found.insert(all + read_file(folder.path() / "index/hashes"));
      CHECK(all.find("copies removed") != std::string::npos);
      CHECK(kept_texts(run_exact(options, documents)).empty());
    }
  }
  CHECK(found.size() == 1);
}

TEST_CASE("dedup exact: a damaged index or one of other settings is named") {
  const ScratchFolder folder;
  const fs::path index = folder.path() / "index";
  run_exact({.index = index}, random_documents(100));
  const auto message = [&](const ExactDedupOptions& options) -> std::string {
    try {
      run_exact(options, random_documents(3));
    } catch (const Error& e) {
      CHECK(e.fault() == Fault::kInput);
      return e.what();
    }
    return "";
  };
  CHECK(message({.unit = "line", .index = index}).find("unit=document") != std::string::npos);
  std::string bytes = read_file(index / "hashes");
  bytes[9] ^= 1;
  write_file(index / "hashes", bytes);
  CHECK(message({.index = index}).find("checksum") != std::string::npos);
  write_file(index / "hashes", bytes.substr(8));
  CHECK(message({.index = index}).find("bytes, expected") != std::string::npos);
  fs::remove(index / "hashes");
  CHECK(message({.index = index}).find("missing") != std::string::npos);
  write_file(index / "index.json", "{");
  CHECK(message({.index = index}).find("not the manifest") != std::string::npos);
  fs::remove(index / "index.json");
  write_file(index / "letter.txt", "mine");
  CHECK(message({.index = index}).find("no index of llmtool") != std::string::npos);
  CHECK(fs::exists(index / "letter.txt"));
}

TEST_CASE("dedup exact: an index that another run changes is left alone") {
  const ScratchFolder folder;
  const ExactDedupOptions options{.index = folder.path() / "index"};
  ThreadPool pool(1);
  FileResources resources(folder.path() / "step", pool, size_t{1} << 20);
  ExactDedup step(options);
  step.start(resources);
  run_exact(options, {text_document("a", "of the other run")});
  const std::string theirs = read_file(options.index / "index.json");
  try {
    step.finish(resources);
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("another run") != std::string::npos);
  }
  CHECK(read_file(options.index / "index.json") == theirs);
  CHECK(kept_ids(run_exact(options, {text_document("b", "new")})).size() == 1);
}

TEST_CASE("dedup exact: scope, key, and settings that do not go together") {
  std::vector<Document> documents{text_document("a", "x"), text_document("b", "x"),
                                  text_document("c", "x")};
  documents[1].path = "other/memory.jsonl";
  documents[2].path = "other/second.jsonl";
  using Ids = std::vector<std::string>;
  CHECK(kept_ids(run_exact({.scope = "folder"}, documents)) == Ids{"a", "b"});
  CHECK(kept_ids(run_exact({.scope = "file"}, documents)) == Ids{"a", "b", "c"});
  documents[0].line = documents[2].line = R"({"text": "", "metadata": {"url": "u"}})";
  documents[1].line = R"({"text": "", "metadata": {"url": "v"}})";
  CHECK(kept_ids(run_exact({.keep = "first", .key = "metadata.url"}, documents)) == Ids{"a", "b"});
  documents[1].line = R"({"text": ""})";
  CHECK_THROWS_AS(run_exact({.keep = "first", .key = "metadata.url"}, documents), Error);
  CHECK(fault_of({.unit = "page"}) == Fault::kUsage);
  CHECK(fault_of({.unit = "line", .keep = "longest"}) == Fault::kUsage);
  CHECK(fault_of({.keep = "highest"}) == Fault::kUsage);
  CHECK(fault_of({.keep = "longest", .keep_by = "score"}) == Fault::kUsage);
  CHECK(fault_of({.unit = "line", .key = "id"}) == Fault::kUsage);
  CHECK(fault_of({.scope = "planet"}) == Fault::kUsage);
}
