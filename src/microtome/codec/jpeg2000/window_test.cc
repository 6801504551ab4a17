// Parts and reduced resolutions, decoded natively: a part is the same part of the whole tile, to the bit, and
// a reduced tile is what OpenJPEG reduces to.
#include "microtome/codec/jpeg2000/window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/jpeg2000/for_test/random_stream.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"
#include "microtome/codec/jpeg2000/library.h"
#include "microtome/codec/jpeg2000/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg2000::test {
namespace {

using microtome::test::Random;

using Pixels = std::vector<std::byte>;

// Asks `decode` for one part of a tile, as rows without gaps. Nothing: declined, or an error.
template <class Decode>
std::optional<Pixels> pixels_of(const TileFormat& format, const Rect& part, int reduce,
                                const Decode& decode) {
  ImageView view{nullptr, part.size(), 0, format.samples, format.type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  Pixels pixels(view.row_bytes() * static_cast<size_t>(part.h), std::byte{0xA5});
  view.data = pixels.data();
  const TilePart wanted{part, view};
  if (!decode(Want{{&wanted, 1}, Stores::cached, static_cast<uint8_t>(reduce)})) return std::nullopt;
  return pixels;
}

size_t pixel_bytes(const TileFormat& format) {
  return ImageView{nullptr, {1, 1}, 0, format.samples, format.type}.pixel_bytes();
}

Pixels crop(const Pixels& whole, Size size, size_t pixel, const Rect& part) {
  Pixels rows;
  for (int64_t y = part.y; y < part.bottom(); ++y) {
    const auto from = whole.begin() + (y * size.w + part.x) * static_cast<int64_t>(pixel);
    rows.insert(rows.end(), from, from + part.w * static_cast<int64_t>(pixel));
  }
  return rows;
}

template <class Sample>
int most_apart_as(const Pixels& a, const Pixels& b) {
  int most = 0;
  for (size_t i = 0; i < a.size(); i += sizeof(Sample)) {
    Sample ours, theirs;
    std::memcpy(&ours, &a[i], sizeof ours);
    std::memcpy(&theirs, &b[i], sizeof theirs);
    most = std::max(most, std::abs(int{ours} - int{theirs}));
  }
  return most;
}

int most_apart(const Pixels& a, const Pixels& b, SampleType type) {
  switch (type) {
    case SampleType::i8:
      return most_apart_as<int8_t>(a, b);
    case SampleType::u16:
      return most_apart_as<uint16_t>(a, b);
    case SampleType::i16:
      return most_apart_as<int16_t>(a, b);
    default:
      return most_apart_as<uint8_t>(a, b);
  }
}

// One decoder meets all tiles and requests: nothing of one may show in another.
TEST(Jpeg2000Window, PartsAndReducedTilesAreExact) {
  LibraryDecoder library;
  TileDecoder own;
  int compared = 0, reduced = 0;
  for (uint64_t seed = 40000; seed < 40000 + cases(160u); ++seed) {
    const RandomStream stream = random_stream(seed, 200);
    if (!stream.plain) continue;
    Random random(seed);
    for (int reduce = random.between(0, 2);; reduce += random.between(1, 2)) {
      SCOPED_TRACE(stream.description + " reduce " + std::to_string(reduce) + " seed " +
                   std::to_string(seed));
      const Size size = reduced_size(stream.format.size, reduce);
      const bool ycbcr = is_ycbcr(stream.format);
      const auto expected = pixels_of(stream.format, {0, 0, size.w, size.h}, reduce, [&](const Want& want) {
        return library.decode(stream.packed, stream.format, ycbcr, want).ok();
      });
      for (const std::string_view target : simd::target_choice().available) {
        const simd::TargetForTest use(target);
        const auto decode = [&](const Want& want) {
          return own.decode(stream.packed, stream.format, ycbcr, want);
        };
        const auto whole = pixels_of(stream.format, {0, 0, size.w, size.h}, reduce, decode);
        ASSERT_EQ(whole.has_value(), expected.has_value()) << target;
        if (!whole) continue;
        ASSERT_LE(most_apart(*whole, *expected, stream.format.type), stream.reversible ? 0 : 1) << target;
        reduced += reduce > 0 ? 1 : 0;
        for (int i = 0; i < 4; ++i) {
          const int64_t x = random.below(size.w), y = random.below(size.h);
          const Rect part{x, y, 1 + random.below(size.w - x), 1 + random.below(size.h - y)};
          const auto some = pixels_of(stream.format, part, reduce, decode);
          ASSERT_TRUE(some) << target;
          ASSERT_EQ(*some, crop(*whole, size, pixel_bytes(stream.format), part))
              << target << ": " << part.x << "," << part.y << " " << part.w << "x" << part.h;
          ++compared;
        }
      }
      if (!expected) break;  // no such resolution
    }
  }
  EXPECT_GT(compared, cases(1500));
  EXPECT_GT(reduced, cases(300));
}

// The library's own way to a part of a 9/7 tile rounds otherwise in the rows at the part's edge, by 1 and
// more: pixels would depend on what else is asked for. It was used for parts of less than a quarter of a
// tile.
TEST(Jpeg2000Window, PartsFromTheLibraryAreExactToo) {
  LibraryDecoder library;
  int parts = 0;
  for (uint64_t seed = 41000; parts < cases(1500); ++seed) {
    const RandomStream stream = random_stream(seed, 200);
    if (!stream.plain || stream.reversible) continue;
    const auto decode = [&](const Want& want) {
      return library.decode(stream.packed, stream.format, is_ycbcr(stream.format), want).ok();
    };
    const Size size = stream.format.size;
    const auto whole = pixels_of(stream.format, {0, 0, size.w, size.h}, 0, decode);
    ASSERT_TRUE(whole) << seed;
    Random random(seed);
    for (int i = 0; i < 25; ++i, ++parts) {
      const int64_t x = random.below(size.w), y = random.below(size.h);
      const Rect part{x, y, 1 + random.below(std::min<int64_t>(size.w - x, 1 + size.w / 2)),
                      1 + random.below(std::min<int64_t>(size.h - y, 1 + size.h / 2))};
      const auto some = pixels_of(stream.format, part, 0, decode);
      ASSERT_TRUE(some) << seed;
      ASSERT_EQ(*some, crop(*whole, size, pixel_bytes(stream.format), part))
          << "seed " << seed << ": " << part.x << "," << part.y << " " << part.w << "x" << part.h;
    }
  }
}

// The last of six resolutions of 512 x 512, in the middle: what the wavelet reaches for, and no more.
TEST(Jpeg2000Window, TakesWhatTheFiltersReachFor) {
  Coding coding;
  coding.tile = {0, 0, 512, 512};
  coding.components = 1;
  coding.component[0].levels = 5;
  Layout layout;
  ASSERT_TRUE(make_layout(coding, layout));
  Windows windows;
  windows.choose(layout, 0, {200, 300, 20, 1});
  const auto text = [](const Window& w) {
    return std::to_string(w.x) + "," + std::to_string(w.y) + " " + std::to_string(w.w) + "x" +
           std::to_string(w.h);
  };
  EXPECT_EQ(text(windows.of(0, 5)), "196,296 28x10");
  EXPECT_EQ(text(windows.of_band(0, 5, Orientation::hh)), "98,148 14x5");
  EXPECT_EQ(text(windows.of(0, 4)), "94,144 22x14");
  EXPECT_EQ(text(windows.of(0, 0)), text(windows.of_band(0, 0, Orientation::ll)));
  windows.choose(layout, 2, {0, 0, 128, 128});
  EXPECT_EQ(windows.top(0), 3u);
  EXPECT_EQ(text(windows.of(0, 3)), "0,0 128x128");
  EXPECT_EQ(text(windows.of(0, 0)), "0,0 16x16");
}

}  // namespace
}  // namespace microtome::jpeg2000::test
