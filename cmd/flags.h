// Flags that several commands share: the same name for the same thing everywhere. Each function
// adds one flag that sets `value` (whose initial value is the default) and returns the option.
#pragma once

#include <cstdint>
#include <string>

#include "cmd/command.h"
#include "lib/base/stream.h"
#include "lib/base/threads.h"
#include "lib/io/run_manifest.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace llmtool {

CLI::Option* add_threads(CLI::App& app, int& value);    // --threads, 0: all that there are
CLI::Option* add_seed(CLI::App& app, uint64_t& value);  // --seed
CLI::Option* add_json(CLI::App& app, bool& value);      // --json
// --device cpu|cuda
CLI::Option* add_device(CLI::App& app, std::string& value);
// -o,--output; what: the description
CLI::Option* add_output(CLI::App& app, std::string& value, const std::string& what);
// Positional input files; "-" is standard input.
CLI::Option* add_inputs(CLI::App& app, std::vector<std::string>& value, const std::string& what);
// -t,--tokenizer
CLI::Option* add_tokenizer(CLI::App& app, std::string& value);
// --format and --text-field, and --skip-bad
std::vector<CLI::Option*> add_format(CLI::App& app, std::string& format, std::string& text_field);
CLI::Option* add_skip_bad(CLI::App& app, bool& value);
// --work, for commands that need temporary files, and the folder for them: that of --work, or the
// output's, or the system's where the output is no file. It is there.
CLI::Option* add_work(CLI::App& app, std::string& value);
fs::path work_folder(const std::string& work, const std::string& output);
// --overwrite
CLI::Option* add_overwrite(CLI::App& app, bool& value, const std::string& what);

// The threads and the stream of a command, from --threads and --device. Throws Fault::kDevice if
// the device is not there.
class Runtime {
 public:
  explicit Runtime(int threads, const std::string& device = "cpu", bool pin = false);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  ThreadPool& pool() { return pool_; }
  Stream& stream() { return stream_; }

 private:
  ThreadPool pool_;
  Stream stream_;
};

// The manifest of this run: command line, and every flag with the value it ended up with. For the
// callback of a command that writes outputs; then add_input(), add_output(), write().
RunManifest start_manifest(const CLI::App& app);

}  // namespace llmtool
