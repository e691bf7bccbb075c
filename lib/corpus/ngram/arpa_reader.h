// ARPA files of n-gram models, plain, .gz or .zst.
//
// Lines before \data\ are blank or begin with '#'. Fields of an n-gram are separated by tabs or
// spaces: log10 probability, the words, log10 back-off or nothing. "<UNK>" is "<unk>". A file
// without <unk> gets it as KenLM gives it: log10 probability -100. Sections in order, as many
// n-grams in each as announced, \end\ and nothing behind it; else Fault::kInput with file and line.
#pragma once

#include "lib/base/file.h"
#include "lib/corpus/ngram/ngram_sink.h"

namespace llmtool {

// Words are numbered in the order of the file behind <unk>. The vocabulary is held in memory.
void read_arpa(const fs::path& path, NgramSink& sink);

}  // namespace llmtool
