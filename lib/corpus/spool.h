// Documents that wait between two passes: a line each, with where they came from.
#pragma once

#include <string>

#include "lib/io/record_format.h"

namespace llmtool {

// "<path>\t<line number>\t<the document's JSON>\n"; a tab or newline in a path becomes a space.
void append_spooled(std::string& out, const Document& document);

// Reads them back; in no catalog, since nobody else has such files.
const RecordFormat& spool_format();

}  // namespace llmtool
