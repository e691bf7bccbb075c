#include "lib/report/page.h"

#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --page: #f7f7f5; --card: #fff; --ink: #1d2126; --soft: #5d6670;
  --line: #dfe2e5; --c0: #1f6fb5; --c1: #c8521a; --c2: #2c8a4b; --c3: #7d4fb3; --mark: #a08a2a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1c2024; --ink: #e4e7ea; --soft: #98a2ac; --line: #343a40;
    --c0: #62aef0; --c1: #f28f5c; --c2: #6cc98a; --c3: #b696ec; --mark: #c9b45a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.subtitle { color: var(--soft); margin: .2rem 0 1.2rem; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .7rem;
  margin: 0; }
.tiles > div, figure, table, pre { background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
.tiles > div { padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr));
  gap: .9rem; margin-top: 1.2rem; }
figure { margin: 0; padding: .7rem .8rem .4rem; min-width: 0; }
figcaption { font-weight: 600; }
.legend { font-weight: 400; color: var(--soft); font-size: .85rem; margin-left: .8rem;
  white-space: nowrap; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .3rem; }
.reading { min-height: 1.3rem; white-space: pre-wrap; font-size: .82rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .mark { stroke: var(--mark); stroke-width: 1; stroke-dasharray: 3 3; }
svg .pointer { stroke: var(--soft); stroke-width: 1; }
svg polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg polygon { stroke: none; opacity: .22; }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); } .l3 { stroke: var(--c3); }
.f0 { fill: var(--c0); background: var(--c0); } .f1 { fill: var(--c1); background: var(--c1); }
.f2 { fill: var(--c2); background: var(--c2); } .f3 { fill: var(--c3); background: var(--c3); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 0 1.5rem; align-items: start; }
.wide { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem; border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
td:last-child { white-space: normal; overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { color: var(--soft); font-weight: 500; }
pre { padding: .6rem .8rem; margin: .2rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
.note { color: var(--soft); font-size: .85rem; margin: .5rem 0; }
)css";

// Shows the values next to the pointer; the page says all without it.
constexpr std::string_view kScript = R"js(
for (const figure of document.querySelectorAll("figure[data-series]")) {
  const svg = figure.querySelector("svg"), line = figure.querySelector(".pointer");
  const reading = figure.querySelector(".reading"), at = JSON.parse(figure.dataset.frame);
  const series = JSON.parse(figure.dataset.series), show = v => Number(v.toPrecision(5)).toString();
  const at_rest = reading.textContent;
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) * at.width / box.width;
    const share = Math.min(1, Math.max(0, (x - at.left) / (at.right - at.left)));
    const value = at.x0 + share * (at.x1 - at.x0);
    let text = "", where = 0;
    for (const s of series) {
      let best = 0;
      s.points.forEach((p, i) => { if (Math.abs(p[0] - value) < Math.abs(s.points[best][0] - value)) best = i; });
      const p = s.points[best];
      if (!text) { where = p[0]; text = at.label + " " + show(p[0]); }
      text += "   " + s.label + (s.dots ? " (" + show(p[0]) + ")" : "") + " " + show(p[1]);
      if (p.length > 2) text += " [" + show(p[2]) + ", " + show(p[3]) + "]";
    }
    const px = at.left + (at.x1 > at.x0 ? (where - at.x0) / (at.x1 - at.x0) : .5) * (at.right - at.left);
    line.setAttribute("x1", px); line.setAttribute("x2", px); line.removeAttribute("visibility");
    reading.textContent = text;
  });
  svg.addEventListener("pointerleave", () => {
    line.setAttribute("visibility", "hidden"); reading.textContent = at_rest;
  });
}
)js";

void append_escaped(std::string& out, std::string_view valid) {
  for (const char c : valid) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\r':
        out += "\xe2\x90\x8d";  // a browser would make a newline of it
        break;
      default:
        const bool control = (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t') ||
                             static_cast<unsigned char>(c) == 127;
        control ? out += kReplacement : out += c;
    }
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  append_escaped(out, with_valid_utf8(text));
  return out;
}

std::string shortened(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes)) + "...";
}

std::string section(std::string_view heading, std::string_view html) {
  return "<h2>" + escape_html(heading) + "</h2>\n" + std::string(html);
}

std::string Page::html() const {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
  page += escape_html(title_) + "</title>\n<style>";
  page += kStyle;
  page += "</style>\n</head>\n<body>\n<h1>" + escape_html(title_) +
          "</h1>\n<p class=\"subtitle\">" + escape_html(subtitle_) + "</p>\n" + body_ + "<script>";
  page += kScript;
  return page + "</script>\n</body>\n</html>\n";
}

}  // namespace llmtool
