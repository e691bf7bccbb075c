// Ctrl-C and SIGTERM ask; the work stops at the next safe point. A second signal ends the process.
#pragma once

namespace llmtool {

void handle_interrupts();
bool interrupted();
// Throws Fault::kInterrupted if asked to stop.
void check_interrupted();

}  // namespace llmtool
