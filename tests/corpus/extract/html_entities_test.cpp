#include "lib/corpus/extract/html_entities.h"

#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("character references as the HTML standard reads them") {
  CHECK(without_references("a &amp; b &lt;c&gt; &quot;&apos;") == "a & b <c> \"'");
  CHECK(without_references("&eacute;&#233;&#xE9;&#XE9;") == "éééé");
  CHECK(without_references("&CounterClockwiseContourIntegral;") == "\u2233");
  CHECK(without_references("&NotEqualTilde;") == "\u2242\u0338");
  CHECK(without_references("&copy 2020 &notit; &notin; &ampx") == "© 2020 ¬it; ∉ &x");
  CHECK(without_references("&#150;&#128;") == "–€");
  CHECK(without_references("&#0;&#xD800;&#x110000;&#99999999999999;") ==
        "\ufffd\ufffd\ufffd\ufffd");
  CHECK(without_references("&#; &#x; & &; &unknown; &") == "&#; &#x; & &; &unknown; &");
  CHECK(without_references("&amp;lt;") == "&lt;");
}
