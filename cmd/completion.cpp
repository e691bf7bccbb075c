#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/command_line.h"
#include "cmd/flags.h"
#include "cmd/option_types.h"
#include "lib/base/error.h"

namespace llmtool {
namespace {

struct Flag {
  std::vector<std::string> names;  // with dashes; empty: an argument without a flag
  std::string text;
  bool takes_value = false;
  std::vector<std::string> choices;  // empty: any value, files are offered
};

struct Entry {
  std::string name;  // of a command or of a group
  std::string text;
  std::vector<Flag> flags;
};

Flag describe(const CLI::Option& option) {
  Flag flag{{}, option.get_description(), !is_flag(option), choices_of(option)};
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  return flag;
}

std::vector<Entry> all_entries() {
  std::vector<Entry> entries;
  for (const Command& command : commands_in_order()) {
    Entry entry{command.name, command.summary, {}};
    const std::unique_ptr<CLI::App> app = make_parser(command);
    for (const CLI::Option* option : app->get_options()) entry.flags.push_back(describe(*option));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  return CLI::detail::join(words, between);
}

// The words that can follow `prefix` ("" or "tokenizer "): commands and groups.
std::vector<std::string> next_words(const std::vector<Entry>& entries, const std::string& prefix) {
  std::vector<std::string> words;
  for (const Entry& entry : entries) {
    if (!entry.name.starts_with(prefix)) continue;
    const std::string rest = entry.name.substr(prefix.size());
    const std::string word = rest.substr(0, rest.find(' '));
    if (std::ranges::count(words, word) == 0) words.push_back(word);
  }
  return words;
}

std::vector<std::string> groups(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    const size_t space = entry.name.find(' ');
    const std::string group = entry.name.substr(0, space);
    if (space != std::string::npos && std::ranges::count(names, group) == 0) names.push_back(group);
  }
  return names;
}

// In single quotes, for every shell.
std::string shell_quoted(const std::string& text) {
  return "'" + CLI::detail::find_and_replace(text, "'", "'\\''") + "'";
}

// A case of `$command`: its flags, and what follows those flags that take a value.
std::string bash_case(const Entry& entry) {
  std::vector<std::string> flags, files, choices, arguments;
  for (const Flag& flag : entry.flags) {
    flags.insert(flags.end(), flag.names.begin(), flag.names.end());
    const std::string pattern = joined(flag.names, "|");
    if (flag.names.empty()) {
      arguments.insert(arguments.end(), flag.choices.begin(), flag.choices.end());
    } else if (!flag.choices.empty()) {
      choices.push_back("        " + pattern + ") words=" + shell_quoted(joined(flag.choices)) +
                        " ;;\n");
    } else if (flag.takes_value) {
      files.push_back(pattern);
    }
  }
  std::string text =
      "    " + shell_quoted(entry.name) + ")\n      flags=" + shell_quoted(joined(flags)) + "\n";
  text += "      arguments=" + shell_quoted(joined(arguments)) + "\n";
  text += "      case \"$previous\" in\n" + joined(choices, "");
  if (!files.empty()) text += "        " + joined(files, "|") + ") files=1 ;;\n";
  return text + "      esac\n      ;;\n";
}

std::string bash(const std::vector<Entry>& entries) {
  std::string cases, group_cases;
  for (const Entry& entry : entries) cases += bash_case(entry);
  for (const std::string& group : groups(entries)) {
    group_cases += "    " + group + ")\n      command=\"$command ${COMP_WORDS[2]}\"\n";
    group_cases +=
        "      first=3\n      if ((COMP_CWORD == 2)); then\n        COMPREPLY=($(compgen -W ";
    group_cases += shell_quoted(joined(next_words(entries, group + " ")) + " --help");
    group_cases += " -- \"$current\"))\n        return\n      fi\n      ;;\n";
  }
  return "# bash completion of llmtool: source <(llmtool completion bash)\n"
         "_llmtool() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command=${COMP_WORDS[1]} first=2 flags='' arguments='' words='' files=''\n"
         "  COMPREPLY=()\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    COMPREPLY=($(compgen -W " +
         shell_quoted(joined(next_words(entries, "")) + " --help --version") +
         " -- \"$current\"))\n    return\n  fi\n"
         "  case \"$command\" in\n" +
         group_cases +
         "  esac\n"
         "  case \"$command\" in\n" +
         cases +
         "  esac\n"
         "  if [[ -n $words ]] && ((COMP_CWORD > first)); then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  elif [[ -z $files && $current == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
         "  elif [[ -z $files && -n $arguments ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$arguments\" -- \"$current\"))\n"
         "  else\n"
         "    compopt -o filenames 2>/dev/null || :\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _llmtool llmtool\n";
}

std::string fish(const std::vector<Entry>& entries) {
  std::string text =
      "# fish completion of llmtool: llmtool completion fish | source\n"
      "complete -c llmtool -f\n"
      "complete -c llmtool -n __fish_use_subcommand -l help -d 'Show the commands'\n"
      "complete -c llmtool -n __fish_use_subcommand -l version -d 'Show the version'\n";
  for (const std::string& word : next_words(entries, "")) {
    text += "complete -c llmtool -n __fish_use_subcommand -a " + word + "\n";
  }
  for (const Entry& entry : entries) {
    const size_t space = entry.name.find(' ');
    const std::string group = entry.name.substr(0, space);
    std::string inside = "__fish_seen_subcommand_from " + group;
    if (space != std::string::npos) {
      const std::string word = entry.name.substr(space + 1);
      const std::string siblings = joined(next_words(entries, group + " "));
      text += "complete -c llmtool -n " +
              shell_quoted(inside + "; and not __fish_seen_subcommand_from " + siblings) + " -a " +
              word + " -d " + shell_quoted(entry.text) + "\n";
      inside += "; and __fish_seen_subcommand_from " + word;
    }
    for (const Flag& flag : entry.flags) {
      std::string line = "complete -c llmtool -n " + shell_quoted(inside);
      for (const std::string& name : flag.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!flag.choices.empty()) line += " -x -a " + shell_quoted(joined(flag.choices));
      if (flag.choices.empty() && flag.takes_value) line += flag.names.empty() ? " -F" : " -r -F";
      text += line + " -d " + shell_quoted(flag.text) + "\n";
    }
  }
  return text;
}

// zsh reads bash's completions.
std::string zsh(const std::vector<Entry>& entries) {
  return "# zsh completion of llmtool: source <(llmtool completion zsh)\n"
         "autoload -Uz compinit bashcompinit\n"
         "(( $+functions[compdef] )) || compinit\n"
         "bashcompinit\n" +
         bash(entries);
}

void define_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.footer("Example:\n  source <(llmtool completion bash)");
  app.callback([shell] {
    const std::vector<Entry> entries = all_entries();
    write_stdout(*shell == "bash" ? bash(entries) : *shell == "zsh" ? zsh(entries) : fish(entries));
  });
}

const Register<Command> completion{
    {"completion", "Print the completion script of a shell", 92, define_completion}};

}  // namespace
}  // namespace llmtool
