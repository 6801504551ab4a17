// Joined tiles against libjpeg-turbo: the planes of a tall stream are those of its tiles, one below the
// other.
#include "microtome/codec/jpeg/tall.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/markers.h"

namespace microtome::jpeg::test {
namespace {

constexpr size_t kRoom = size_t{4} << 20;

std::vector<PlainPlane> planes_of(std::span<const std::byte> stream, const TileFormat& tile, uint32_t tiles) {
  TileFormat format = tile;
  format.tables = {};
  format.size.h *= tiles;
  return plain_planes(stream, format);
}

TEST(TallStream, ItsPlanesAreItsTiles) {
  int joined = 0, with_restarts = 0;
  std::vector<std::byte> room(kRoom);
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    const RandomStream tile = random_stream(seed, 120);
    Headers headers;
    const Frame* const frame = headers.read(tile.packed, tile.format.tables.data);
    const auto expected = plain_planes(tile.packed, tile.format);
    if (frame == nullptr || expected.empty()) continue;
    const auto scan = checked_scan_bytes(*frame);
    if (!scan) continue;
    const uint32_t count = is_joinable(*frame) ? 1 + static_cast<uint32_t>(seed % 11) : 1;
    TallStream tall;
    ASSERT_TRUE(tall.begin(*frame, count > 1, room));
    while (tall.tiles() < count && tall.add(*frame, *scan)) {
    }
    const auto stream = tall.end();
    const auto planes = planes_of(stream, tile.format, tall.tiles());
    ASSERT_EQ(planes.size(), expected.size()) << tile.description;
    for (size_t i = 0; i < planes.size(); ++i) {
      ASSERT_EQ(planes[i].size.w, expected[i].size.w);
      ASSERT_EQ(planes[i].size.h, expected[i].size.h * tall.tiles());
      const size_t bytes = expected[i].samples.size();
      for (size_t t = 0; t < tall.tiles(); ++t)
        ASSERT_TRUE(std::equal(expected[i].samples.begin(), expected[i].samples.end(),
                               planes[i].samples.begin() + static_cast<ptrdiff_t>(t * bytes)))
            << tile.description << " tile " << t << " plane " << i;
    }
    joined += tall.tiles() > 1;
    with_restarts += tall.tiles() > 1 && frame->restart_interval != 0;
    const size_t number = seed % tall.tiles();
    const auto one = planes_of(one_of(stream, tall.take_parts(), number), tile.format, 1);
    ASSERT_EQ(one.size(), expected.size());
    for (size_t i = 0; i < one.size(); ++i)
      ASSERT_EQ(one[i].samples, expected[i].samples) << tile.description;
  }
  EXPECT_GT(joined, 50);
  EXPECT_GT(with_restarts, 5);
}

/// A frame whose scan is these bytes, of so many MCUs of one block.
Frame frame_of(const std::vector<std::byte>& scan, int64_t mcus, uint32_t interval) {
  Frame frame;
  frame.size = {8 * mcus, 8};
  frame.components = 1;
  frame.restart_interval = interval;
  frame.scan = scan;
  return frame;
}

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> all;
  for (const int value : values) all.push_back(static_cast<std::byte>(value));
  return all;
}

TEST(TallStream, AScanHasItsMarkersAndNoOthers) {
  const auto checked = [](std::initializer_list<int> values, int64_t mcus, uint32_t interval) {
    const auto scan = bytes(values);
    return checked_scan_bytes(frame_of(scan, mcus, interval));
  };
  EXPECT_EQ(checked({1, 0xFF, 0, 2, 0xFF, 0xD9, 9}, 3, 0), 4u);
  EXPECT_EQ(checked({1, 0xFF, 0xD0, 2, 0xFF, 0xD1, 3, 0xFF, 0xD9}, 3, 1), 7u);
  EXPECT_EQ(checked({1, 0xFF, 0xD0, 2, 0xFF, 0xD9}, 4, 2), 4u);
  EXPECT_FALSE(checked({}, 3, 0));
  EXPECT_FALSE(checked({0xFF}, 3, 0));
  EXPECT_FALSE(checked({1, 2, 3}, 3, 0));                                      // no end
  EXPECT_FALSE(checked({1, 0xFF, 0, 0xFF}, 3, 0));                             // half an end
  EXPECT_FALSE(checked({1, 0xFF, 0xD0, 2, 0xFF, 0xD9}, 3, 0));                 // a restart that is not meant
  EXPECT_FALSE(checked({1, 0xFF, 0xD0, 2, 0xFF, 0xD9}, 3, 1));                 // one that is missing
  EXPECT_FALSE(checked({1, 0xFF, 0xD1, 2, 0xFF, 0xD0, 3, 0xFF, 0xD9}, 3, 1));  // out of turn
  EXPECT_FALSE(checked({1, 0xFF, 0xDA, 2, 0xFF, 0xD9}, 3, 0));                 // another scan
  EXPECT_FALSE(checked({1, 0xFF, 0xFF, 0xD9}, 3, 0));  // a fill byte, which we leave to others
}

TEST(TallStream, WhatCannotBeJoined) {
  Frame frame = frame_of({}, 4, 0);
  EXPECT_TRUE(is_joinable(frame));
  frame.restart_interval = 2;
  EXPECT_TRUE(is_joinable(frame));
  frame.restart_interval = 3;
  EXPECT_FALSE(is_joinable(frame));
  frame.restart_interval = 0;
  frame.size.h = 12;
  EXPECT_FALSE(is_joinable(frame));
  frame.size = {8 * 300, 8 * 300};  // more MCUs than an interval can have
  EXPECT_FALSE(is_joinable(frame));
  Frame other = frame;
  EXPECT_TRUE(are_alike(frame, other));
  other.tables.quant[0].natural[5] = 7;
  EXPECT_FALSE(are_alike(frame, other));
  other = frame;
  other.tables.dc[1].size = 3;  // a table that the frame does not use
  EXPECT_TRUE(are_alike(frame, other));
  other.size.w = 16;
  EXPECT_FALSE(are_alike(frame, other));
}

TEST(TallStream, NoRoomIsSaidAndNothingAdded) {
  const RandomStream tile = [] {
    for (uint64_t seed = 1;; ++seed) {
      RandomStream found = random_stream(seed, 60);
      Headers headers;
      const Frame* const frame = headers.read(found.packed, found.format.tables.data);
      if (frame != nullptr && checked_scan_bytes(*frame) && is_joinable(*frame)) return found;
    }
  }();
  Headers headers;
  const Frame& frame = *headers.read(tile.packed, tile.format.tables.data);
  const size_t scan = *checked_scan_bytes(frame);
  std::vector<std::byte> whole(kRoom);
  TallStream tall;
  ASSERT_TRUE(tall.begin(frame, true, whole));
  ASSERT_TRUE(tall.add(frame, scan));
  const size_t one = tall.end().size();
  std::vector<std::byte> room(one + scan + 2);
  for (size_t size = 0; size < room.size(); ++size) {
    const std::span<std::byte> given(room.data(), size);
    if (!tall.begin(frame, true, given)) continue;
    const bool first = tall.add(frame, scan), second = tall.add(frame, scan);
    EXPECT_EQ(first, size >= one) << size;
    EXPECT_FALSE(second) << size;
  }
  ASSERT_TRUE(tall.begin(frame, true, {room.data(), one}));
  ASSERT_TRUE(tall.add(frame, scan));
  tall.widen(room);
  EXPECT_TRUE(tall.add(frame, scan));
  EXPECT_EQ(tall.end().size(), room.size());
}

}  // namespace
}  // namespace microtome::jpeg::test
