#include "microtome/codec/jpeg2000/packet_count.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/rewrite.h"

namespace microtome::test {
namespace {

namespace j2k = jpeg2000::test;

constexpr uint8_t kCod = 0x52, kPoc = 0x5F;
constexpr size_t kLayers = 2;  // in COD

j2k::Pieces made() {
  j2k::EncoderPlan plan;
  plan.grid = {0, 0, 128, 96};
  plan.planes.resize(1);
  plan.planes[0].samples.assign(128 * 96, 7);
  plan.planes[0].samples[500] = 100;
  plan.options.resolutions = 3;
  plan.options.precincts = {{8, 8}};  // and half of it at each resolution below
  return *j2k::take_apart(j2k::encode(plan));
}

std::string count_of(const j2k::Pieces& pieces) {
  const j2k::Stream stream = j2k::put_together(pieces);
  const jpeg2000::Grid grid{{0, 0, 128, 96}, 0, 0, 128, 96};
  return error_text(jpeg2000::check_packet_count(stream, grid, 1));
}

std::string error_of(const j2k::Pieces& pieces) {
  TileFormat format;
  format.compression = Compression::jpeg2000;
  format.color = Color::black_is_zero;
  format.samples = 1;
  format.size = {128, 96};
  return error_text(decode(*make_decoder(format), j2k::put_together(pieces), format, {0, 0, 4, 4}, 0));
}

void put_layers(j2k::Pieces::Segment& cod, unsigned layers) {
  cod.body[kLayers] = static_cast<std::byte>(layers >> 8);
  cod.body[kLayers + 1] = static_cast<std::byte>(layers & 0xFF);
}

// Precincts of 8, 4 and 2 samples at 128x96, 64x48 and 32x24: (16 + 2) (12 + 2) at each.
constexpr unsigned kPrecincts = 3 * 18 * 14;

TEST(Jpeg2000PacketCount, AHeaderThatSaysOfMillionsIsRefused) {
  j2k::Pieces pieces = made();
  ASSERT_EQ(error_of(pieces), "ok");
  constexpr unsigned kMost = jpeg2000::kMostPackets / kPrecincts;
  put_layers(pieces.segment(kCod), kMost);
  EXPECT_EQ(count_of(pieces), "ok");
  put_layers(pieces.segment(kCod), kMost + 1);
  EXPECT_NE(count_of(pieces), "ok");
  EXPECT_EQ(error_of(pieces), "unsupported: jpeg2000: headers that allow for " +
                                  std::to_string(uint64_t{kMost + 1} * kPrecincts) +
                                  " packets are not supported, 4194304 at most");
}

TEST(Jpeg2000PacketCount, HeadersOfTilesCountToo) {
  j2k::Pieces pieces = made();
  pieces.tile.push_back(pieces.segment(kCod));
  put_layers(pieces.tile[0], 65535);
  EXPECT_EQ(error_of(pieces).find("unsupported: jpeg2000: headers that allow for 49544460 packets"), 0u)
      << error_of(pieces);
}

TEST(Jpeg2000PacketCount, EachChangeOfProgressionMayGoThroughAll) {
  j2k::Pieces pieces = made();
  put_layers(pieces.segment(kCod), 2000);
  j2k::Stream changes;
  for (int i = 0; i < 10; ++i) {
    for (const int byte : {0, 0, 0x07, 0xD0, 3, 1, 0}) changes.push_back(static_cast<std::byte>(byte));
  }
  pieces.main.push_back({kPoc, changes});
  EXPECT_EQ(error_of(pieces).find("unsupported: jpeg2000: headers that allow for 16632000 packets"), 0u)
      << error_of(pieces);
}

}  // namespace
}  // namespace microtome::test
