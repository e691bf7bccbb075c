// The short names of licences in Debian's debian/copyright.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/corpus/license/expression.h"

namespace llmtool {

// "GPL-2+": GPL-2.0-or-later, "Expat": MIT, "CC0": CC0-1.0, "Artistic": Artistic-1.0-Perl, "perl":
// Artistic-1.0-Perl OR GPL-1.0-or-later, "public-domain": LicenseRef-public-domain; identifiers of
// the SPDX list in any case; BSD-2-clause and BSD-3-clause with something behind them (the names of
// the holders, by custom). Nothing for other names.
std::optional<LicenseExpression> license_of_debian_name(std::string_view name);

// "GPL-2+ or Artistic, and BSD-3-clause": "and" binds stronger than "or", a comma weakest. "with
// ..." and what follows is left out: an exception only permits more. resolve() is asked for each
// name. Nothing if there is no name where one should stand, or more than 200.
std::optional<LicenseExpression> license_of_debian_names(
    std::string_view text, const std::function<LicenseExpression(std::string_view name)>& resolve);

}  // namespace llmtool
