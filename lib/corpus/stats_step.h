// Tells what a corpus holds; changes nothing.
//
// Words are runs of bytes between ASCII white space; characters are code points; a token count
// needs a tokenizer. Domains are the host of metadata.url (or of url), without "www.". Duplicates
// are estimated by HyperLogLog (Flajolet et al. 2007; 2^14 registers, standard error 0.8%) over
// 64-bit XXH3 hashes of the texts, and of the ids.
#pragma once

#include <memory>

#include "lib/corpus/step.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

struct StatsOptions {
  std::shared_ptr<const Tokenizer> tokenizer;  // or none
  uint64_t top_domains = 20;
};

std::unique_ptr<Step> make_stats_step(const StatsOptions& options);

}  // namespace llmtool
