#include "lib/text/sentencepiece_log.h"

// The library exports it, its public headers do not declare it.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace llmtool {

void set_sentencepiece_log(SentencePieceLog level) {
  sentencepiece::logging::SetMinLogLevel(static_cast<int>(level));
}

}  // namespace llmtool
