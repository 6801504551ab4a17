// What is particular to PackBits, Zstandard and LZMA. Streams are written by hand or by the libraries' own
// encoders.
#include <gtest/gtest.h>
#include <lzma.h>
#include <zstd.h>

#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

ByteVector joined(ByteVector a, const ByteVector& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The example of TIFF 6.0 section 9.
TEST(PackBits, TheSpecificationsExample) {
  const auto packed =
      bytes({0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA});
  const auto pixels = decode(packed, grey(Compression::packbits, 24, 1));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, bytes({0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00,
                            0x2A, 0x22, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA}));
}

TEST(PackBits, RunsMayCrossRowsAndTheTilesEndAndNothingMayStandBetween) {
  const auto packed = bytes({0x80, 0xFB, 7, 0x80, 0x01, 1, 2, 0x7F, 9, 9});
  EXPECT_EQ(*decode(packed, grey(Compression::packbits, 4, 2)), bytes({7, 7, 7, 7, 7, 7, 1, 2}));
  EXPECT_EQ(*decode(packed, grey(Compression::packbits, 5, 1)), bytes({7, 7, 7, 7, 7}));
}

TEST(PackBits, TooFewBytesComeWithNumbers) {
  EXPECT_EQ(error_text(decode(bytes({0xFE, 0xAA, 0x05, 1, 2}), grey(Compression::packbits, 4, 2))),
            "corrupt: packbits: premature end: 5 bytes, expected 8 (2 rows of 4)");
  EXPECT_EQ(error_text(decode(bytes({0xFE}), grey(Compression::packbits, 4, 2))),
            "corrupt: packbits: premature end: 0 bytes, expected 8 (2 rows of 4)");
}

ByteVector zstd(const ByteVector& data, bool checksum = false) {
  ByteVector packed(ZSTD_compressBound(data.size()));
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), data.data(), data.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

TEST(Zstd, AStreamLongerThanTheTileGivesItsFirstRows) {
  const ByteVector data = noise(300000);
  const auto pixels = decode(zstd(data), grey(Compression::zstd, 1000, 7));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, ByteVector(data.begin(), data.begin() + 7000));
}

TEST(Zstd, FramesFollowEachOtherAndWhatFollowsTheLastDoesNotMatter) {
  const ByteVector data = noise(30);
  const ByteVector first(data.begin(), data.begin() + 11), rest(data.begin() + 11, data.end());
  const ByteVector packed = joined(joined(zstd(first), zstd(rest)), bytes({1, 2, 3}));
  for (const Compression compression : {Compression::zstd, Compression::zstd_old}) {
    const auto pixels = decode(packed, grey(compression, 10, 3));
    ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
    EXPECT_EQ(*pixels, data);
  }
  EXPECT_EQ(error_text(decode(zstd(first), grey(Compression::zstd, 10, 3))),
            "corrupt: zstd: premature end: 11 bytes, expected 30 (3 rows of 10)");
}

TEST(Zstd, AWrongChecksumIsCorrupt) {
  ByteVector packed = zstd(noise(30), true);
  packed.back() ^= std::byte{1};
  const auto pixels = decode(packed, grey(Compression::zstd, 10, 3));
  EXPECT_EQ(error_text(pixels), "corrupt: zstd: Restored data doesn't match checksum");
}

// A frame header that asks for a window of 2 GiB, and that does not say how long its content is.
TEST(Zstd, AHugeWindowIsNotAllocated) {
  const auto packed = bytes({0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00});
  const auto pixels = decode(packed, grey(Compression::zstd, 10, 3));
  ASSERT_FALSE(pixels.ok());
  EXPECT_TRUE(pixels.error().code == Errc::unsupported || pixels.error().code == Errc::corrupt);
}

ByteVector xz(const ByteVector& data, uint32_t preset, lzma_check check) {
  ByteVector packed(lzma_stream_buffer_bound(data.size()));
  size_t size = 0;
  EXPECT_EQ(
      lzma_easy_buffer_encode(preset, check, nullptr, reinterpret_cast<const uint8_t*>(data.data()),
                              data.size(), reinterpret_cast<uint8_t*>(packed.data()), &size, packed.size()),
      LZMA_OK);
  packed.resize(size);
  return packed;
}

TEST(Lzma, EveryPresetAndCheck) {
  const ByteVector data = noise(5000);
  for (const uint32_t preset : {0u, 6u, 9u, 9u | LZMA_PRESET_EXTREME}) {
    for (const lzma_check check : {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_SHA256}) {
      const auto pixels = decode(xz(data, preset, check), grey(Compression::lzma, 100, 50));
      ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
      EXPECT_EQ(*pixels, data);
    }
  }
}

TEST(Lzma, AStreamLongerThanTheTileGivesItsFirstRows) {
  const ByteVector data = noise(5000);
  const auto pixels = decode(xz(data, 6, LZMA_CHECK_CRC32), grey(Compression::lzma, 100, 7));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, ByteVector(data.begin(), data.begin() + 700));
}

TEST(Lzma, AWrongChecksumAndAMissingEndAreCorrupt) {
  const ByteVector data = noise(30);
  ByteVector packed = xz(data, 6, LZMA_CHECK_CRC32);
  const TileFormat format = grey(Compression::lzma, 10, 3);
  packed.resize(packed.size() - 1);
  EXPECT_EQ(error_text(decode(packed, format)),
            "corrupt: lzma: premature end (" + std::to_string(packed.size()) + " bytes packed)");
  packed = xz(data, 6, LZMA_CHECK_CRC32);
  packed[packed.size() - 12 - 16 - 1] ^= std::byte{1};  // before the index and the footer: the block's check
  EXPECT_EQ(error_text(decode(packed, format)),
            "corrupt: lzma: invalid data (" + std::to_string(packed.size()) + " bytes packed)");
  EXPECT_EQ(error_text(decode(noise(40), format)), "corrupt: lzma: not an .xz stream (40 bytes)");
}

TEST(Lzma, AHugeDictionaryIsRefusedByItsSize) {
  lzma_options_lzma options;
  ASSERT_FALSE(lzma_lzma_preset(&options, 6));
  options.dict_size = 1 << 30;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  const ByteVector data = noise(30);
  ByteVector packed(500);
  size_t size = 0;
  lzma_filter chain[] = {filters[0], filters[1]};
  ASSERT_EQ(lzma_stream_buffer_encode(chain, LZMA_CHECK_NONE, nullptr,
                                      reinterpret_cast<const uint8_t*>(data.data()), data.size(),
                                      reinterpret_cast<uint8_t*>(packed.data()), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  EXPECT_EQ(error_text(decode(packed, grey(Compression::lzma, 10, 3))),
            "unsupported: lzma: a dictionary that needs more than 80 MiB is not supported");
}

}  // namespace
}  // namespace microtome::test
