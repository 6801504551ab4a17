#include "microtome/read/tile_bytes.h"

#include <gtest/gtest.h>

#include <vector>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

/// Byte i is i modulo 251; what passes `end` cannot be read.
class CountingSource final : public ByteSource {
 public:
  std::string_view name() const noexcept override { return "counted"; }
  uint64_t size() const noexcept override { return end; }
  SourceId id() const noexcept override { return {}; }
  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    reads.push_back({offset, dst.size()});
    if (offset + dst.size() > end) return io("beyond the end");
    for (size_t i = 0; i < dst.size(); ++i) dst[i] = static_cast<std::byte>((offset + i) % 251);
    return ok_status();
  }
  Status check_unchanged() const override { return ok_status(); }

  uint64_t end = 1 << 30;
  mutable std::vector<ByteRange> reads;
};

void expect_bytes(const Result<std::span<const std::byte>>& got, ByteRange range) {
  ASSERT_TRUE(got.ok()) << got.error().message;
  ASSERT_EQ(got->size(), range.size);
  for (size_t i = 0; i < range.size; ++i)
    ASSERT_EQ((*got)[i], static_cast<std::byte>((range.offset + i) % 251)) << i;
}

TEST(TileBytes, NeighboursComeWithTheFirst) {
  const CountingSource source;
  TileBytes bytes;
  const std::vector<ByteRange> tiles{{1000, 50}, {1050, 70}, {1130, 5}, {1135, 60}};
  for (size_t i = 0; i < tiles.size(); ++i)
    expect_bytes(bytes.read(source, tiles[i], std::span(tiles).subspan(i + 1)), tiles[i]);
  EXPECT_EQ(source.reads, (std::vector<ByteRange>{{1000, 195}}));
}

TEST(TileBytes, WhatLiesFarOffOrBeforeIsReadAlone) {
  const CountingSource source;
  TileBytes bytes;
  const uint64_t far = 1100 + TileBytes::kMaxGap + 1;
  const std::vector<ByteRange> tiles{{1000, 100}, {far, 10}, {500, 10}, {505, 10}, {510, 10}};
  for (size_t i = 0; i < tiles.size(); ++i)
    expect_bytes(bytes.read(source, tiles[i], std::span(tiles).subspan(i + 1)), tiles[i]);
  EXPECT_EQ(source.reads, tiles) << "and ranges that overlap";
}

TEST(TileBytes, AReadHasALargestSize) {
  const CountingSource source;
  TileBytes bytes;
  constexpr uint64_t kPart = TileBytes::kMaxRun / 4;
  std::vector<ByteRange> tiles;
  for (uint64_t i = 0; i < 6; ++i) tiles.push_back({i * kPart, kPart});
  tiles.push_back({6 * kPart, TileBytes::kMaxRun + 1});
  tiles.push_back({7 * kPart + TileBytes::kMaxRun, 1});
  for (size_t i = 0; i < tiles.size(); ++i)
    expect_bytes(bytes.read(source, tiles[i], std::span(tiles).subspan(i + 1)), tiles[i]);
  EXPECT_EQ(source.reads,
            (std::vector<ByteRange>{{0, 4 * kPart}, {4 * kPart, 2 * kPart}, tiles[6], tiles[7]}));
}

TEST(TileBytes, AFailureOfOneIsNotThatOfItsNeighbour) {
  CountingSource source;
  source.end = 160;
  TileBytes bytes;
  const std::vector<ByteRange> tiles{{0, 100}, {100, 60}, {160, 40}};
  expect_bytes(bytes.read(source, tiles[0], std::span(tiles).subspan(1)), tiles[0]);
  expect_bytes(bytes.read(source, tiles[1], std::span(tiles).subspan(2)), tiles[1]);
  EXPECT_EQ(bytes.read(source, tiles[2], {}).error().code, Errc::io);
  expect_bytes(bytes.read(source, tiles[0], {}), tiles[0]);
}

TEST(TileBytes, AnotherSourceOrAnotherReadStartsAnew) {
  const CountingSource source, other;
  TileBytes bytes;
  expect_bytes(bytes.read(source, {0, 10}, {}), {0, 10});
  expect_bytes(bytes.read(other, {0, 10}, {}), {0, 10});
  expect_bytes(bytes.read(other, {0, 10}, {}), {0, 10});
  EXPECT_EQ(other.reads.size(), 1u);
  bytes.reset();
  expect_bytes(bytes.read(other, {0, 10}, {}), {0, 10});
  EXPECT_EQ(other.reads.size(), 2u);
  bytes.shrink(0);
  expect_bytes(bytes.read(other, {0, 10}, {}), {0, 10});
  EXPECT_EQ(other.reads.size(), 3u);
}

}  // namespace
}  // namespace microtome
