// Tiles joined into a tall JPEG stream: its planes must be the tile's, as often as it was joined, for
// libjpeg-turbo.
//
// Input: a byte, how often; the tile. The corpus of `jpeg_headers` and `codec` does as seeds as well.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tall.h"

using namespace microtome;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kMostPixels = 1 << 18;
  if (size < 1) return 0;
  const uint32_t count = 1 + data[0] % 9;
  // A copy of its own, so that reading past its end is seen.
  const std::vector<std::byte> tile(reinterpret_cast<const std::byte*>(data) + 1,
                                    reinterpret_cast<const std::byte*>(data) + size);
  static jpeg::Headers headers;
  const jpeg::Frame* const frame = headers.read(tile, {});
  if (frame == nullptr || frame->size.w * frame->size.h > kMostPixels) return 0;
  const auto scan = jpeg::checked_scan_bytes(*frame);
  if (!scan) return 0;
  std::vector<std::byte> room(4096 + count * (*scan + 2));
  jpeg::TallStream tall;
  const bool joins = count > 1 && jpeg::is_joinable(*frame);
  require(tall.begin(*frame, joins, room));
  while (tall.tiles() < (joins ? count : 1) && tall.add(*frame, *scan)) {
  }
  const auto stream = tall.end();
  TileFormat format;
  format.size = frame->size;
  format.samples = frame->components;
  format.color = frame->components == 1 ? Color::black_is_zero : Color::ycbcr;
  const auto expected = jpeg::test::plain_planes(tile, format);
  if (expected.empty()) return 0;  // libjpeg complains
  const uint32_t tiles = tall.tiles();
  const auto one = jpeg::one_of(stream, tall.take_parts(), tiles - 1);
  format.size.h *= tiles;
  const auto planes = jpeg::test::plain_planes(stream, format);
  format.size = frame->size;
  const auto single = jpeg::test::plain_planes(one, format);
  require(single.size() == expected.size());
  for (size_t i = 0; i < single.size(); ++i) {
    const auto& samples = expected[i].samples;
    require(single[i].samples == samples);
    // A few bytes left over behind a tile's last MCU nobody sees at its end, but libjpeg does before a
    // restart marker: it may complain of the tall stream, which tall_test.cc has of tiles that are whole.
    // What it gives must be right.
    if (planes.empty()) continue;
    require(planes[i].samples.size() == samples.size() * tiles);
    for (size_t t = 0; t < tiles; ++t)
      require(std::equal(samples.begin(), samples.end(),
                         planes[i].samples.begin() + static_cast<ptrdiff_t>(t * samples.size())));
  }
  return 0;
}
