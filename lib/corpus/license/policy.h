// Which licences are allowed.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/license/expression.h"

namespace llmtool {

class LicensePolicy {
 public:
  // Nothing is allowed.
  LicensePolicy() = default;
  // A list of data/license_policies/: llama, permissive or blueoak. Fault::kUsage for another name.
  static LicensePolicy named(std::string_view name);
  static const std::vector<std::string>& names();

  // "MIT", or "GPL-2.0-only WITH Classpath-exception-2.0" for a licence with this exception alone;
  // a deprecated identifier is taken as the one that replaced it. Fault::kUsage for what is neither
  // on the SPDX list nor a LicenseRef-*; `where` says in the message where it stands.
  void allow(std::string_view entry, std::string_view where);
  void deny(std::string_view entry, std::string_view where);
  // One entry a line; "#" begins a comment. Fault::kIo if it cannot be read.
  void allow_file(const fs::path& path);

  // OR: one of its parts is allowed; AND: all of them. A licence: it is on the list; with an
  // exception, it or the pair is (an exception only permits more). What may be used under a later
  // version ("-or-later", "+") may be used under this one: X-or-later is allowed if X-only is. An
  // identifier that nobody knows is allowed by nothing but its own entry.
  bool allows(const LicenseExpression& expression) const;

  std::vector<std::string> entries() const { return {allowed_.begin(), allowed_.end()}; }

 private:
  void allow_lines(std::string_view text, std::string_view name);

  std::set<std::string, std::less<>> allowed_;
};

}  // namespace llmtool
