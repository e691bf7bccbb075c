// Ctrl-C and SIGTERM ask; the work stops at the next safe point. A second signal ends the process.
#pragma once

namespace llmtool {

// Called by a command whose work has safe points; the others simply end. An InputStream is a safe
// point at each read; other loops call check_interrupted().
void handle_interrupts();
bool interrupted();
// Throws Fault::kInterrupted if asked to stop.
void check_interrupted();

}  // namespace llmtool
