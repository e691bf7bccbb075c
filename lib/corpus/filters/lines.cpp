#include "lib/corpus/filters/lines.h"

#include <bit>
#include <emmintrin.h>

namespace llmtool {

size_t next_line_break(std::string_view text, size_t at) {
  const __m128i highest = _mm_set1_epi8(0x1e), tab = _mm_set1_epi8(0x09);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // 0x0a to 0x1e, and the first bytes of the breaks beyond ASCII.
    const __m128i low = _mm_and_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, highest), bytes),
                                      _mm_cmpgt_epi8(bytes, tab));
    const __m128i others =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xc2))),
                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xe2))));
    auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, others)));
    for (; found != 0; found &= found - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(found));
      if (line_break_at(text, place) > 0) return place;
    }
  }
  while (at < text.size() && line_break_at(text, at) == 0) ++at;
  return at;
}

}  // namespace llmtool
