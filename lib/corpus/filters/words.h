// Cutting a text into words.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace llmtool {

enum class WordKind {
  // Between spaces (str.split() of Python).
  kWhitespace,
  // What datatrove counts for English: spaCy's tokenizer without its spaces. A run of non-spaces
  // is cut from both ends, one prefix and one suffix at a time, until it is an exception ("don't" =
  // do + n't, "U.S.", "e.g.", ":-)") or nothing is left to cut. Prefixes: punctuation, quotes,
  // currency, symbols, "..". Suffixes: the same, 's, a unit or currency after a digit, a "." after
  // a small letter, a digit, punctuation or two capitals. What remains is one word if it is a URL,
  // else it is cut at ".." and symbols, at + - * ^ between digits, at "." between a small letter
  // and a capital, at "," - – — ~ between letters and at : < > = / before a letter. Unlike spaCy,
  // an
  // exception is not put together again from pieces that were cut off.
  kEnglish,
};

struct Word {
  uint32_t begin = 0, bytes = 0;  // text[begin, begin + bytes)
  uint32_t characters = 0;        // code points
  uint32_t is_alphabetic : 1;     // has a letter (str.isalpha)
  uint32_t is_symbol : 1;         // every character is in datatrove's PUNCTUATION_SET
  uint32_t is_punct : 1;          // every character is of a Unicode category P*
  uint32_t ends_sentence : 1;     // one character at which spaCy's sentencizer ends a sentence

  std::string_view in(std::string_view text) const { return text.substr(begin, bytes); }
};

// Cuts texts of up to 4 GiB in linear time; keeps its memory. Not for several threads at once.
class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();

  // Appends the words of the text in their order.
  void split(std::string_view text, WordKind kind, std::vector<Word>& words);
  // How many they are.
  uint64_t count(std::string_view text, WordKind kind);

  // Sentences of a line as datatrove counts them (spaCy's sentencizer on English words): one begins
  // with the first word and with each word that is not punctuation behind an end mark; at least
  // one.
  uint64_t count_sentences(std::string_view line);

 private:
  struct English;
  template <class Letters, class Marked>
  void walk(std::string_view text, WordKind kind, std::vector<Word>& words, Letters letters,
            Marked marked);

  std::unique_ptr<English> english_;
};

}  // namespace llmtool
