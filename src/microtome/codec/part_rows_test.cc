#include "microtome/codec/part_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

// Parts of every codec's tile, decoded at once, against the same parts one by one.
struct Piece {
  Rect src;
  ByteVector pixels;
  ImageView view;

  Piece(const Rect& rect, const TileFormat& format)
      : src(rect), view{nullptr, rect.size(), 0, format.samples, format.type} {
    view.row_stride = static_cast<int64_t>(view.row_bytes());
    pixels.assign(view.row_bytes() * static_cast<size_t>(rect.h), std::byte{0xA5});
    view.data = pixels.data();
  }
};

void expect_parts(const Fixture& fixture, const std::vector<Rect>& rects, Stores stores) {
  SCOPED_TRACE(fixture.name);
  const auto decoder = make_decoder(fixture.format);
  std::vector<Piece> pieces;
  std::vector<TilePart> parts;
  for (const Rect& rect : rects) pieces.emplace_back(rect, fixture.format);
  for (const Piece& piece : pieces) parts.push_back({piece.src, piece.view});
  const Status status = decoder->decode(fixture.packed, fixture.format, {parts, stores});
  ASSERT_TRUE(status.ok()) << status.error().to_string();
  const auto all = decode(*decoder, fixture.packed, fixture.format, whole(fixture.format)).value();
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.pixels, crop(all, fixture.format, piece.src)) << piece.src.x << "," << piece.src.y;
  }
}

class PartRowsTest : public ::testing::TestWithParam<Stores> {};

TEST_P(PartRowsTest, EveryCodecFillsAllParts) {
  for (const Fixture& fixture : fixtures()) {
    const auto [w, h] = fixture.format.size;
    if (w < 8 || h < 8) continue;
    const Rect quarters[] = {{0, 0, w / 2, h / 2},
                             {w / 2, 0, w - w / 2, h / 2},
                             {0, h / 2, w / 2, h - h / 2},
                             {w / 2, h / 2, w - w / 2, h - h / 2}};
    expect_parts(fixture, {std::begin(quarters), std::end(quarters)}, GetParam());
    // Overlapping, not covering, one that holds another, the whole among them.
    expect_parts(fixture, {{1, 2, w - 3, h / 2}, {3, h / 2 - 1, w / 3, 3}, {w - 2, 1, 2, h - 2}}, GetParam());
    expect_parts(fixture, {quarters[3], {0, 0, w, h}, quarters[0], {0, 0, w, h}}, GetParam());
    expect_parts(fixture, {{w - 1, h - 1, 1, 1}}, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, PartRowsTest, ::testing::Values(Stores::cached, Stores::streaming),
                         [](const auto& stores) {
                           return stores.param == Stores::cached ? "Cached" : "Streaming";
                         });

TEST(Want, NoPartIsARefusal) {
  const Fixture& fixture = fixtures().front();
  const Status status = make_decoder(fixture.format)->decode(fixture.packed, fixture.format, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::invalid_argument);
}

TEST(Want, BoundsHoldAllParts) {
  const TilePart parts[] = {{{5, 6, 7, 8}, {}}, {{1, 9, 2, 2}, {}}, {{3, 3, 20, 1}, {}}};
  EXPECT_EQ((Want{parts}.bounds()), (Rect{1, 3, 22, 11}));
  EXPECT_EQ((Want{std::span(parts).first(1)}.bounds()), parts[0].src);
}

}  // namespace
}  // namespace microtome::test
