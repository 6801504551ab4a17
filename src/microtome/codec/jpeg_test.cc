// What is particular to JPEG. The reference is libjpeg used in the plainest way: the whole image, one row at
// a time.
#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <gtest/gtest.h>
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>

#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

using Configure = std::function<void(jpeg_compress_struct&)>;

// A picture with hard edges and noise, encoded after `configure` has had its way with the defaults.
ByteVector encode(int width, int height, int samples, const Configure& configure) {
  std::vector<JSAMPLE> pixels(static_cast<size_t>(width * height * samples));
  std::mt19937 random(3);
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<JSAMPLE>((i / 37 % 2) * 120 + random() % 60 + i % 3 * 30);
  }
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = samples;
  jpeg.in_color_space = samples == 1 ? JCS_GRAYSCALE : samples == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  configure(jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = pixels.data() + static_cast<size_t>(y * width * samples);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  const auto* bytes = reinterpret_cast<const std::byte*>(out);
  ByteVector stream(bytes, bytes + size);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return stream;
}

ByteVector reference(const ByteVector& stream, J_COLOR_SPACE stream_color, int reduce = 0) {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(stream.data()),
               static_cast<unsigned long>(stream.size()));
  jpeg_read_header(&jpeg, TRUE);
  jpeg.jpeg_color_space = stream_color;
  jpeg.out_color_space = jpeg.num_components == 1   ? JCS_GRAYSCALE
                         : jpeg.num_components == 4 ? JCS_CMYK
                                                    : JCS_RGB;
  jpeg.scale_num = 8u >> reduce;
  jpeg.scale_denom = 8;
  jpeg_start_decompress(&jpeg);
  const size_t row_bytes = jpeg.output_width * static_cast<size_t>(jpeg.output_components);
  ByteVector pixels(row_bytes * jpeg.output_height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = reinterpret_cast<JSAMPROW>(pixels.data() + jpeg.output_scanline * row_bytes);
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return pixels;
}

TileFormat jpeg_format(int width, int height, Color color = Color::ycbcr) {
  TileFormat format;
  format.compression = Compression::jpeg;
  format.color = color;
  format.samples = color == Color::black_is_zero ? 1 : 3;
  format.size = {width, height};
  return format;
}

Error error_of(const Result<ByteVector>& pixels) {
  return pixels.ok() ? Error{Errc::internal, "none"} : pixels.error();
}

void set_luma_sampling(jpeg_compress_struct& jpeg, int h, int v) {
  jpeg.comp_info[0].h_samp_factor = h;
  jpeg.comp_info[0].v_samp_factor = v;
}

constexpr int kWidth = 75, kHeight = 61;

struct Variant {
  const char* name;
  Configure configure;
};

std::vector<Variant> variants() {
  return {
      {"444", [](auto& jpeg) { set_luma_sampling(jpeg, 1, 1); }},
      {"422", [](auto& jpeg) { set_luma_sampling(jpeg, 2, 1); }},
      {"440", [](auto& jpeg) { set_luma_sampling(jpeg, 1, 2); }},
      {"420", [](auto& jpeg) { set_luma_sampling(jpeg, 2, 2); }},
      {"411", [](auto& jpeg) { set_luma_sampling(jpeg, 4, 1); }},
      {"420_restart_each_row", [](auto& jpeg) { jpeg.restart_in_rows = 1; }},
      {"420_restart_each_mcu", [](auto& jpeg) { jpeg.restart_interval = 1; }},
      {"420_progressive", [](auto& jpeg) { jpeg_simple_progression(&jpeg); }},
      {"420_arithmetic", [](auto& jpeg) { jpeg.arith_code = TRUE; }},
  };
}

TEST(Jpeg, EveryKindOfStreamEqualsTheLibraryUsedPlainly) {
  for (const Variant& v : variants()) {
    const ByteVector stream = encode(kWidth, kHeight, 3, v.configure);
    const auto pixels = decode(stream, jpeg_format(kWidth, kHeight));
    ASSERT_TRUE(pixels.ok()) << v.name << " " << pixels.error().to_string();
    EXPECT_EQ(*pixels, reference(stream, JCS_YCbCr)) << v.name;
  }
}

TEST(Jpeg, ReducedTilesEqualTheLibrarysScaledOnes) {
  std::mt19937 random(5);
  const auto below = [&](int64_t limit) { return static_cast<int64_t>(random()) % limit; };
  for (const Variant& v : variants()) {
    const ByteVector stream = encode(kWidth, kHeight, 3, v.configure);
    const TileFormat format = jpeg_format(kWidth, kHeight);
    const auto decoder = make_decoder(format);
    for (const int reduce : {1, 2, 3}) {
      SCOPED_TRACE(v.name + std::string(" 1/") + std::to_string(1 << reduce));
      TileFormat reduced = format;
      reduced.size = reduced_size(format.size, reduce);
      const auto [w, h] = reduced.size;
      const ByteVector all = reference(stream, JCS_YCbCr, reduce);
      ASSERT_EQ(all.size(), static_cast<size_t>(w * h * 3));
      const auto whole_tile = decode(*decoder, stream, format, {0, 0, w, h}, reduce);
      ASSERT_TRUE(whole_tile.ok()) << whole_tile.error().to_string();
      EXPECT_EQ(*whole_tile, all);
      for (int i = 0; i < 40; ++i) {
        const int64_t x = below(w), y = below(h);
        const Rect r{x, y, 1 + below(w - x), 1 + below(h - y)};
        const auto part = decode(*decoder, stream, format, r, reduce);
        ASSERT_TRUE(part.ok()) << part.error().to_string();
        ASSERT_EQ(*part, crop(all, reduced, r)) << r.x << "," << r.y << " " << r.w << "x" << r.h;
      }
    }
  }
}

TEST(Jpeg, ReductionsThatDoNotExistAreRefused) {
  const ByteVector stream = encode(16, 16, 3, [](auto&) {});
  const TileFormat format = jpeg_format(16, 16);
  EXPECT_EQ(error_of(decode(*make_decoder(format), stream, format, {0, 0, 1, 1}, 4)).to_string(),
            "unsupported: jpeg: decoding at 1/16 of the resolution is not supported");
  const Error outside = error_of(decode(*make_decoder(format), stream, format, {0, 0, 9, 8}, 1));
  EXPECT_EQ(outside.code, Errc::invalid_argument);
  EXPECT_NE(outside.message.find("not inside the tile of 8x8"), std::string::npos) << outside.message;
}

TEST(Jpeg, RegionsOfEveryKindOfStreamAreCrops) {
  std::mt19937 random(4);
  for (const Variant& v : variants()) {
    const ByteVector stream = encode(kWidth, kHeight, 3, v.configure);
    const TileFormat format = jpeg_format(kWidth, kHeight);
    const auto decoder = make_decoder(format);
    const ByteVector all = reference(stream, JCS_YCbCr);
    for (int i = 0; i < 400; ++i) {
      const auto below = [&](int64_t limit) { return static_cast<int64_t>(random()) % limit; };
      const int64_t x = below(kWidth), y = below(kHeight);
      const Rect r{x, y, 1 + below(kWidth - x), 1 + below(kHeight - y)};
      const auto part = decode(*decoder, stream, format, r);
      ASSERT_TRUE(part.ok()) << v.name << " " << part.error().to_string();
      ASSERT_EQ(*part, crop(all, format, r))
          << v.name << " " << r.x << "," << r.y << " " << r.w << "x" << r.h;
    }
  }
}

// Aperio's RGB slides have no marker that says so, or a JFIF one that says YCbCr; other writers add Adobe's
// at will.
TEST(Jpeg, TheFormatsColorDecidesAndMarkersDoNot) {
  const ByteVector with_jfif = encode(16, 16, 3, [](auto&) {});
  const ByteVector with_adobe_rgb = encode(16, 16, 3, [](auto& jpeg) {
    jpeg_set_colorspace(&jpeg, JCS_RGB);
    jpeg.write_Adobe_marker = TRUE;
  });
  for (const ByteVector& stream : {with_jfif, with_adobe_rgb}) {
    const auto as_rgb = decode(stream, jpeg_format(16, 16, Color::rgb));
    const auto as_ycbcr = decode(stream, jpeg_format(16, 16, Color::ycbcr));
    ASSERT_TRUE(as_rgb.ok() && as_ycbcr.ok());
    EXPECT_EQ(*as_rgb, reference(stream, JCS_RGB));
    EXPECT_EQ(*as_ycbcr, reference(stream, JCS_YCbCr));
    EXPECT_NE(*as_rgb, *as_ycbcr);
  }
}

TEST(Jpeg, TablesOfOneTileAreNotThoseOfTheNext) {
  const Fixture& f = fixture("jpeg_tables_422");
  TileFormat without = f.format;
  without.tables = {};
  const auto decoder = make_decoder(f.format);
  ASSERT_TRUE(decode(*decoder, f.packed, f.format, whole(f.format)).ok());
  const Error error = error_of(decode(*decoder, f.packed, without, whole(f.format)));
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("jpeg: Quantization table"), std::string::npos) << error.message;
}

TEST(Jpeg, BrokenTablesAreNamedAsSuch) {
  const Fixture& f = fixture("jpeg_tables_422");
  TileFormat format = f.format;
  format.tables.data = format.tables.data.first(20);
  const Error error = error_of(decode(f.packed, format));
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_EQ(error.message.find("jpeg: JPEGTables: "), 0u) << error.message;
}

TEST(Jpeg, AMissingEndMarkerIsForgivenOnlyWhenNothingElseIsMissing) {
  for (const Variant& v : variants()) {
    ByteVector stream = encode(kWidth, kHeight, 3, v.configure);
    const ByteVector expected = reference(stream, JCS_YCbCr);
    stream.erase(stream.end() - 2, stream.end());
    const auto pixels = decode(stream, jpeg_format(kWidth, kHeight));
    if (pixels.ok()) {
      EXPECT_EQ(*pixels, expected) << v.name;
    } else {
      EXPECT_NE(std::string(v.name).find("progressive"), std::string::npos)
          << v.name << pixels.error().message;
      EXPECT_NE(pixels.error().message.find("premature end"), std::string::npos) << pixels.error().message;
    }
  }
}

TEST(Jpeg, AProgressiveStreamThatStopsBetweenScansIsCorrupt) {
  const ByteVector stream = encode(kWidth, kHeight, 3, [](auto& jpeg) { jpeg_simple_progression(&jpeg); });
  const std::byte start_of_scan[2] = {std::byte{0xFF}, std::byte{0xDA}};
  const auto second = std::find_end(stream.begin(), stream.end(), start_of_scan, start_of_scan + 2);
  const ByteVector part(stream.begin(), second);
  const Error error = error_of(decode(part, jpeg_format(kWidth, kHeight)));
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("premature end"), std::string::npos) << error.message;
}

TEST(Jpeg, DataLeftBeforeTheEndMarkerIsCorrupt) {
  ByteVector stream = encode(kWidth, kHeight, 3, [](auto&) {});
  stream.insert(stream.end() - 2, 5, std::byte{0x11});
  const Error error = error_of(decode(stream, jpeg_format(kWidth, kHeight)));
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("extraneous"), std::string::npos) << error.message;
}

TEST(Jpeg, BytesBehindTheEndMarkerDoNotMatter) {
  ByteVector stream = encode(kWidth, kHeight, 3, [](auto&) {});
  const ByteVector expected = reference(stream, JCS_YCbCr);
  stream.insert(stream.end(), 100, std::byte{0x11});
  const auto pixels = decode(stream, jpeg_format(kWidth, kHeight));
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(*pixels, expected);
}

TEST(Jpeg, UnknownVersionsOfMarkersThatAreIgnoredDoNotMatter) {
  const ByteVector plain = encode(16, 16, 3, [](auto&) {});
  const ByteVector strange = encode(16, 16, 3, [](auto& jpeg) {
    jpeg.JFIF_major_version = 9;
    jpeg.write_Adobe_marker = TRUE;
  });
  const auto pixels = decode(strange, jpeg_format(16, 16));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, reference(plain, JCS_YCbCr));
}

// As every reader of TIFF gives CMYK, and RGB with alpha: components as they are stored, whatever Adobe's
// marker says.
TEST(Jpeg, FourComponentsAreGivenAsStored) {
  for (const bool adobe : {false, true}) {
    const ByteVector packed = encode(20, 17, 4, [&](auto& jpeg) { jpeg.write_Adobe_marker = adobe; });
    for (const Color color : {Color::cmyk, Color::rgb}) {
      TileFormat format = jpeg_format(20, 17, color);
      format.samples = 4;
      const auto pixels = decode(packed, format);
      ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
      EXPECT_EQ(*pixels, reference(packed, JCS_CMYK));
      const auto part = decode(*make_decoder(format), packed, format, {3, 5, 9, 11});
      ASSERT_TRUE(part.ok()) << part.error().to_string();
      EXPECT_EQ(*part, crop(*pixels, format, {3, 5, 9, 11}));
    }
  }
}

TEST(Jpeg, OldStyleIsDecodedWhereTheStreamIsComplete) {
  const ByteVector packed = encode(16, 16, 3, [](auto&) {});
  TileFormat format = jpeg_format(16, 16);
  format.compression = Compression::old_jpeg;
  const auto pixels = decode(packed, format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, reference(packed, JCS_YCbCr));
  const auto scan = std::span(packed).subspan(20);
  EXPECT_EQ(error_of(decode(ByteVector(scan.begin(), scan.end()), format)).to_string(),
            "unsupported: jpeg: old-style JPEG whose tables and data stand apart in the file");
}

TEST(Jpeg, WhatIsNotDecodedIsNamed) {
  const ByteVector cmyk = encode(16, 16, 4, [](auto&) {});
  Error error = error_of(decode(cmyk, jpeg_format(16, 16)));
  EXPECT_EQ(error.to_string(), "corrupt: jpeg: 4 components, expected 3");

  TileFormat format = jpeg_format(16, 16);
  format.samples = 4;
  error = error_of(decode(cmyk, format));
  EXPECT_EQ(error.to_string(), "unsupported: jpeg: YCbCr with 4 components is not supported");
  format.color = Color::rgb;
  format.samples = 5;
  error = error_of(decode(cmyk, format));
  EXPECT_EQ(error.to_string(), "unsupported: jpeg: RGB with 5 components is not supported");

  ByteVector twelve_bits = encode(16, 16, 1, [](auto&) {});
  const std::byte frame[2] = {std::byte{0xFF}, std::byte{0xC0}};
  const auto at = std::search(twelve_bits.begin(), twelve_bits.end(), frame, frame + 2);
  at[4] = std::byte{12};
  error = error_of(decode(twelve_bits, jpeg_format(16, 16, Color::black_is_zero)));
  EXPECT_EQ(error.to_string(), "unsupported: jpeg: Unsupported JPEG data precision 12");
  at[4] = std::byte{8};
  at[1] = std::byte{0xC3};
  error = error_of(decode(twelve_bits, jpeg_format(16, 16, Color::black_is_zero)));
  EXPECT_EQ(error.to_string(), "unsupported: jpeg: Unsupported JPEG process: SOF type 0xc3");

  format = jpeg_format(16, 16);
  format.type = SampleType::u16;
  format.bits = 12;
  error = error_of(decode(cmyk, format));
  EXPECT_EQ(error.to_string().find("unsupported: jpeg: 12-bit JPEG is not supported by libjpeg-turbo "), 0u);
  format.bits = 16;
  error = error_of(decode(cmyk, format));
  EXPECT_EQ(error.to_string(), "unsupported: jpeg: samples of uint16 are not supported, only of uint8");
}

TEST(Jpeg, ComponentsAndSizesThatDisagreeComeWithNumbers) {
  const ByteVector grey = encode(16, 16, 1, [](auto&) {});
  EXPECT_EQ(error_of(decode(grey, jpeg_format(16, 16))).to_string(),
            "corrupt: jpeg: 1 components, expected 3");
  EXPECT_EQ(error_of(decode(grey, jpeg_format(24, 16, Color::black_is_zero))).to_string(),
            "corrupt: jpeg: 16x16 pixels do not cover the region 0,0 24x16 of a tile of 24x16");
}

// A stream may be larger than the tile says: its top left is the tile.
TEST(Jpeg, ALargerStreamIsCroppedToTheTile) {
  const ByteVector stream = encode(kWidth, kHeight, 3, [](auto&) {});
  const auto pixels = decode(stream, jpeg_format(50, 40));
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(*pixels, crop(reference(stream, JCS_YCbCr), jpeg_format(kWidth, kHeight), {0, 0, 50, 40}));
}

// Each scan may visit every coefficient again: a file of repeated scans kept a core busy for minutes.
TEST(Jpeg, TooManyScansAreRefused) {
  const jpeg_scan_info script[3] = {{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
  const ByteVector stream = encode(16, 16, 3, [&](auto& jpeg) {
    jpeg.scan_info = script;
    jpeg.num_scans = 3;
  });
  const std::byte start_of_scan[2] = {std::byte{0xFF}, std::byte{0xDA}};
  const auto last = std::find_end(stream.begin(), stream.end(), start_of_scan, start_of_scan + 2);
  for (const int copies : {10, 600}) {
    ByteVector repeated(stream.begin(), stream.end() - 2);
    for (int i = 0; i < copies; ++i) repeated.insert(repeated.end(), last, stream.end() - 2);
    repeated.insert(repeated.end(), stream.end() - 2, stream.end());
    const auto pixels = decode(repeated, jpeg_format(16, 16));
    EXPECT_EQ(pixels.ok(), copies == 10);
    if (!pixels.ok()) {
      EXPECT_EQ(pixels.error().to_string(), "corrupt: jpeg: more than 500 scans");
    }
  }
}

TEST(Jpeg, NothingIsPrinted) {
  const ByteVector stream = encode(kWidth, kHeight, 3, [](auto&) {});
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_FALSE(decode(std::span(stream).first(stream.size() / 2), jpeg_format(kWidth, kHeight)).ok());
  EXPECT_FALSE(decode(std::span(stream).first(30), jpeg_format(kWidth, kHeight)).ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace microtome::test
