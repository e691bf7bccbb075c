// SentencePiece's own encoder in a plain loop over documents: the peer of tests/bench/tokenize.sh,
// which builds it. Prints "bytes tokens seconds" of the encoding alone, in processor time.
//   tokenize_peer MODEL CORPUS.jsonl
#include <cstdio>
#include <ctime>
#include <sentencepiece_processor.h>
#include <simdjson.h>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  sentencepiece::SentencePieceProcessor library;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  if (argc != 3 || !library.Load(argv[1]).ok() ||
      parser.load_many(argv[2], size_t{1} << 27).get(lines)) {
    std::fprintf(stderr, "usage: tokenize_peer MODEL CORPUS.jsonl\n");
    return 2;
  }
  std::vector<std::string> texts;
  for (auto line : lines) texts.emplace_back(std::string_view(line["text"]));
  size_t bytes = 0, tokens = 0;
  std::vector<int> ids;
  const std::clock_t start = std::clock();
  for (const std::string& text : texts) {
    if (!library.Encode(text, &ids).ok()) return 1;
    tokens += ids.size();
    bytes += text.size();
  }
  const double time = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%zu %zu %.4f\n", bytes, tokens, time);
}
