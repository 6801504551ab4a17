// What is particular to JPEG 2000. OpenJPEG encodes, without loss; the expected pixels are computed from the
// planes that went in.
#include <gtest/gtest.h>
#include <openjpeg.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"
#include "microtome/codec/jpeg2000/header.h"

namespace microtome::test {
namespace {

struct Plane {
  uint32_t dx = 1, dy = 1;
  uint32_t bits = 8;
  bool is_signed = false;
};

struct Encoded {
  ByteVector stream;
  std::vector<std::vector<int32_t>> planes;
  Rect grid;  // the image on the reference grid
  std::vector<Plane> components;

  // The sample that pixel x, y of the reference grid takes: the one at or before it, or the first there is.
  int32_t at(size_t component, int64_t x, int64_t y) const {
    const Plane& p = components[component];
    const auto ceil_div = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    const int64_t x0 = ceil_div(grid.x, p.dx), y0 = ceil_div(grid.y, p.dy),
                  w = ceil_div(grid.right(), p.dx) - x0;
    const int64_t column = std::max(x / p.dx, x0) - x0, row = std::max(y / p.dy, y0) - y0;
    return planes[component][static_cast<size_t>(row * w + column)];
  }
};

size_t append(void* data, size_t size, void* user) {
  auto& stream = *static_cast<ByteVector*>(user);
  const auto* bytes = static_cast<const std::byte*>(data);
  stream.insert(stream.end(), bytes, bytes + size);
  return size;
}

Encoded encode(const Rect& grid, const std::vector<Plane>& components, bool lossy = false, int tile = 0) {
  Encoded result{{}, {}, grid, components};
  std::mt19937 random(6);
  std::vector<opj_image_cmptparm_t> parameters;
  for (const Plane& p : components) {
    opj_image_cmptparm_t c{};
    c.dx = p.dx;
    c.dy = p.dy;
    c.x0 = static_cast<OPJ_UINT32>(grid.x);
    c.y0 = static_cast<OPJ_UINT32>(grid.y);
    c.w = static_cast<OPJ_UINT32>((grid.right() + p.dx - 1) / p.dx - (grid.x + p.dx - 1) / p.dx);
    c.h = static_cast<OPJ_UINT32>((grid.bottom() + p.dy - 1) / p.dy - (grid.y + p.dy - 1) / p.dy);
    c.prec = p.bits;
    c.sgnd = p.is_signed;
    parameters.push_back(c);
  }
  const auto count = static_cast<OPJ_UINT32>(components.size());
  opj_image_t* image = opj_image_create(count, parameters.data(), OPJ_CLRSPC_UNSPECIFIED);
  image->x0 = static_cast<OPJ_UINT32>(grid.x);
  image->y0 = static_cast<OPJ_UINT32>(grid.y);
  image->x1 = static_cast<OPJ_UINT32>(grid.right());
  image->y1 = static_cast<OPJ_UINT32>(grid.bottom());
  for (size_t i = 0; i < components.size(); ++i) {
    const opj_image_comp_t& c = image->comps[i];
    for (OPJ_UINT32 at = 0; at < c.w * c.h; ++at) {
      const auto step = static_cast<int32_t>(at / 11 % 2 * 100 + random() % 100);
      c.data[at] = (step - (components[i].is_signed ? 128 : 0)) * (1 << (components[i].bits - 8));
    }
    result.planes.emplace_back(c.data, c.data + c.w * c.h);
  }
  opj_cparameters_t options;
  opj_set_default_encoder_parameters(&options);
  options.irreversible = lossy;
  options.numresolution = 3;
  options.tcp_numlayers = 1;
  options.cp_disto_alloc = 1;
  options.tcp_rates[0] = lossy ? 4 : 0;
  if (tile > 0) {
    options.tile_size_on = OPJ_TRUE;
    options.cp_tdx = options.cp_tdy = tile;
  }
  opj_codec_t* codec = opj_create_compress(OPJ_CODEC_J2K);
  opj_stream_t* stream = opj_stream_create(1 << 16, OPJ_FALSE);
  opj_stream_set_write_function(stream, append);
  opj_stream_set_user_data(stream, &result.stream, nullptr);
  EXPECT_TRUE(opj_setup_encoder(codec, &options, image) && opj_start_compress(codec, image, stream) &&
              opj_encode(codec, stream) && opj_end_compress(codec, stream));
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return result;
}

TileFormat format_of(Compression compression, Size size, uint16_t samples = 3) {
  TileFormat format;
  format.compression = compression;
  format.color = samples == 3 ? Color::rgb : Color::black_is_zero;
  format.samples = samples;
  format.size = size;
  return format;
}

// JFIF's formula in double precision. Halves go up, as ours do; the sum's rounding errors are far below the
// 3e-5 that other values stay away from a half.
ByteVector expected_rgb(const Encoded& e) {
  ByteVector pixels;
  const auto put = [&](double v) {
    pixels.push_back(static_cast<std::byte>(std::clamp(std::floor(v + 0.5 + 1e-9), 0.0, 255.0)));
  };
  for (int64_t y = e.grid.y; y < e.grid.bottom(); ++y) {
    for (int64_t x = e.grid.x; x < e.grid.right(); ++x) {
      const double luma = e.at(0, x, y), cb = e.at(1, x, y) - 128.0, cr = e.at(2, x, y) - 128.0;
      put(luma + 1.402 * cr);
      put(luma - 0.114 * 1.772 / 0.587 * cb - 0.299 * 1.402 / 0.587 * cr);
      put(luma + 1.772 * cb);
    }
  }
  return pixels;
}

TEST(Jpeg2000, ChromaIsReplicatedForEverySubsamplingSizeAndOrigin) {
  for (const auto& [dx, dy] : {std::pair{1u, 1u}, {2u, 1u}, {1u, 2u}, {2u, 2u}}) {
    for (const Rect& grid :
         {Rect{0, 0, 32, 16}, {0, 0, 31, 17}, {1, 0, 20, 10}, {0, 1, 20, 11}, {3, 5, 33, 21}}) {
      const Encoded e = encode(grid, {Plane{}, Plane{dx, dy}, Plane{dx, dy}});
      const TileFormat format = format_of(Compression::aperio_jpeg2000_ycbcr, grid.size());
      const auto decoder = make_decoder(format);
      const ByteVector all = expected_rgb(e);
      for (int64_t x = 0; x < 6; ++x) {
        const Rect r{x, x % 4, grid.w - x - x % 3, grid.h - x % 4 - x % 2};
        const auto pixels = decode(*decoder, e.stream, format, r);
        ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
        ASSERT_EQ(*pixels, crop(all, format, r))
            << dx << "x" << dy << " origin " << grid.x << "," << grid.y << " size " << grid.w << "x" << grid.h
            << " from " << r.x << "," << r.y;
      }
    }
  }
}

TEST(Jpeg2000, RegionsOfLossyAndTiledStreamsAreCrops) {
  std::mt19937 random(7);
  for (const int tile : {0, 32}) {
    const Encoded e = encode({0, 0, 100, 90}, {Plane{}, Plane{}, Plane{}}, true, tile);
    const TileFormat format = format_of(Compression::aperio_jpeg2000_rgb, e.grid.size());
    const auto decoder = make_decoder(format);
    const auto all = decode(*decoder, e.stream, format, whole(format));
    ASSERT_TRUE(all.ok()) << all.error().to_string();
    for (int i = 0; i < 100; ++i) {
      const auto below = [&](int64_t limit) { return static_cast<int64_t>(random()) % limit; };
      const int64_t x = below(100), y = below(90);
      const Rect r{x, y, 1 + below(100 - x), 1 + below(90 - y)};
      const auto part = decode(*decoder, e.stream, format, r);
      ASSERT_TRUE(part.ok()) << part.error().to_string();
      ASSERT_EQ(*part, crop(*all, format, r))
          << tile << ": " << r.x << "," << r.y << " " << r.w << "x" << r.h;
    }
  }
}

TEST(Jpeg2000, CompressionThenColorDecideTheTransform) {
  const Encoded e = encode({0, 0, 16, 16}, {Plane{}, Plane{}, Plane{}});
  TileFormat format = format_of(Compression::aperio_jpeg2000_ycbcr, {16, 16});
  const auto converted =
      decode(e.stream, format);  // though the photometric interpretation is RGB, as Aperio writes it
  format.compression = Compression::aperio_jpeg2000_rgb;
  format.color = Color::ycbcr;
  const auto rgb = decode(e.stream, format);
  format.compression = Compression::jpeg2000;
  const auto by_color_ycbcr = decode(e.stream, format);
  format.color = Color::rgb;
  const auto by_color_rgb = decode(e.stream, format);
  ASSERT_TRUE(converted.ok() && rgb.ok() && by_color_ycbcr.ok() && by_color_rgb.ok());
  EXPECT_EQ(*converted, expected_rgb(e));
  EXPECT_EQ(*by_color_ycbcr, *converted);
  EXPECT_EQ(*by_color_rgb, *rgb);
  for (size_t i = 0; i < rgb->size(); ++i) {
    ASSERT_EQ(std::to_integer<int32_t>((*rgb)[i]), e.planes[i % 3][i / 3]) << i;
  }
}

TEST(Jpeg2000, TheEnvironmentLeavesTilesToTheLibrary) {
  const Encoded e = encode({0, 0, 40, 30}, {Plane{}, Plane{2, 1}, Plane{2, 1}});
  const TileFormat format = format_of(Compression::aperio_jpeg2000_ycbcr, e.grid.size());
  const auto ours = make_decoder(format);
  ASSERT_EQ(setenv("MICROTOME_JPEG2000", "library", 1), 0);
  const auto library = make_decoder(format);
  const std::string said = (*find_codec(format))->version();
  ASSERT_EQ(unsetenv("MICROTOME_JPEG2000"), 0);
  const auto a = decode(*ours, e.stream, format, whole(format));
  const auto b = decode(*library, e.stream, format, whole(format));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(ours->decoded_by().own, 1u);
  EXPECT_EQ(ours->decoded_by().library, 0u);
  EXPECT_EQ(library->decoded_by().own, 0u);
  EXPECT_EQ(library->decoded_by().library, 1u);
  EXPECT_EQ(said.find("OpenJPEG "), 0u) << said;
  EXPECT_EQ((*find_codec(format))->version().find("built in ("), 0u);
}

TEST(Jpeg2000, SixteenBitsAndFourSamples) {
  const Encoded wide = encode({0, 0, 9, 7}, std::vector<Plane>(3, Plane{1, 1, 16}));
  TileFormat format = format_of(Compression::jpeg2000, {9, 7});
  format.type = SampleType::u16;
  format.bits = 16;
  const auto words = decode(wide.stream, format);
  ASSERT_TRUE(words.ok()) << words.error().to_string();
  for (size_t i = 0; i < 9 * 7 * 3; ++i) {
    const int32_t found =
        std::to_integer<int32_t>((*words)[2 * i]) | std::to_integer<int32_t>((*words)[2 * i + 1]) << 8;
    ASSERT_EQ(found, wide.planes[i % 3][i / 3]) << i;
  }
  const Encoded four = encode({0, 0, 9, 7}, std::vector<Plane>(4));
  const auto bytes = decode(four.stream, format_of(Compression::jpeg2000, {9, 7}, 4));
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  for (size_t i = 0; i < 9 * 7 * 4; ++i) {
    ASSERT_EQ(std::to_integer<int32_t>((*bytes)[i]), four.planes[i % 4][i / 4]) << i;
  }
}

// Besides whole tiles, a few pixels: the library decodes those by another way.
TEST(Jpeg2000, ComponentsOfAnySamplingAreReplicated) {
  for (const Rect& grid : {Rect{0, 0, 31, 17}, {3, 5, 33, 21}}) {
    const std::vector<Plane> planes{Plane{3, 1}, Plane{1, 4}, Plane{2, 3}, Plane{4, 4}, Plane{}};
    const Encoded e = encode(grid, planes);
    const TileFormat format = format_of(Compression::jpeg2000, grid.size(), 5);
    for (const Rect& r : {whole(format), Rect{5, 2, 24, 13}, Rect{7, 9, 2, 3}, Rect{0, 0, 1, 1}}) {
      const auto pixels = decode(*make_decoder(format), e.stream, format, r);
      ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
      for (int64_t i = 0; i < r.w * r.h * 5; ++i) {
        const int64_t x = grid.x + r.x + i / 5 % r.w, y = grid.y + r.y + i / 5 / r.w;
        ASSERT_EQ(std::to_integer<int32_t>((*pixels)[static_cast<size_t>(i)]),
                  e.at(static_cast<size_t>(i % 5), x, y))
            << "component " << i % 5 << " at " << x << "," << y;
      }
    }
  }
}

template <class T>
void expect_values(const Plane& plane, SampleType type) {
  Encoded e = encode({0, 0, 9, 7}, {plane});
  TileFormat format = format_of(Compression::jpeg2000, {9, 7}, 1);
  format.type = type;
  format.bits = 8 * sizeof(T);
  const auto pixels = decode(e.stream, format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  ASSERT_EQ(pixels->size(), 9 * 7 * sizeof(T));
  for (size_t i = 0; i < 9 * 7; ++i) {
    T value;
    std::memcpy(&value, pixels->data() + i * sizeof(T), sizeof(T));
    ASSERT_EQ(value, static_cast<T>(e.planes[0][i])) << i;
  }
}

TEST(Jpeg2000, IntegersOfEveryWidthAndFewerBitsThanTheyHave) {
  expect_values<int8_t>({1, 1, 8, true}, SampleType::i8);
  expect_values<int16_t>({1, 1, 16, true}, SampleType::i16);
  expect_values<int16_t>({1, 1, 11, true}, SampleType::i16);
  expect_values<uint16_t>({1, 1, 12}, SampleType::u16);
  expect_values<int32_t>({1, 1, 24, true}, SampleType::i32);
  expect_values<uint32_t>({1, 1, 24}, SampleType::u32);
}

TEST(Jpeg2000, APaletteWithOtherThanTheTilesChannelsIsCorrupt) {
  const Fixture& f = fixture("jpeg2000_palette");
  TileFormat format = f.format;
  format.samples = 1;
  format.color = Color::black_is_zero;
  EXPECT_EQ(error_text(decode(f.packed, format)), "corrupt: jpeg2000: 3 components, expected 1");
}

TEST(Jpeg2000, WhatIsNotDecodedIsNamed) {
  const TileFormat rgb = format_of(Compression::jpeg2000, {16, 16});
  EXPECT_EQ(error_text(decode(encode({0, 0, 16, 16}, std::vector<Plane>(3, Plane{1, 1, 12})).stream, rgb)),
            "unsupported: jpeg2000: component 0 has 12-bit unsigned samples, expected 8-bit unsigned");
  EXPECT_EQ(error_text(decode(encode({0, 0, 16, 16}, {Plane{}, Plane{}, Plane{1, 1, 8, true}}).stream, rgb)),
            "unsupported: jpeg2000: component 2 has 8-bit signed samples, expected 8-bit unsigned");
  TileFormat floats = rgb;
  floats.type = SampleType::f32;
  floats.bits = 32;
  EXPECT_EQ(error_text(decode({}, floats)),
            "unsupported: jpeg2000: samples of float32 are not supported, only integers of up to 32 bits");
  TileFormat grey_ycbcr = format_of(Compression::aperio_jpeg2000_ycbcr, {16, 16}, 1);
  EXPECT_EQ(error_text(decode({}, grey_ycbcr)),
            "unsupported: jpeg2000: YCbCr with 1 samples of uint8 is not supported, only 3 of uint8");
}

TEST(Jpeg2000, ComponentsAndSizesThatDisagreeComeWithNumbers) {
  const Encoded e = encode({0, 0, 16, 16}, {Plane{}});
  EXPECT_EQ(error_text(decode(e.stream, format_of(Compression::jpeg2000, {16, 16}))),
            "corrupt: jpeg2000: 1 components, expected 3");
  EXPECT_EQ(error_text(decode(e.stream, format_of(Compression::jpeg2000, {16, 17}, 1))),
            "corrupt: jpeg2000: 16x16 pixels do not cover the region 0,0 16x17 of a tile of 16x17");
}

void put_u32(ByteVector& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

// SIZ holds Xsiz at 8, Ysiz at 12, XTsiz at 24, YTsiz at 28, Csiz at 40, and per component Ssiz, XRsiz, YRsiz
// from 42.
TEST(Jpeg2000, AbsurdHeadersAreRefusedBeforeAnythingIsAllocated) {
  const Encoded e = encode({0, 0, 64, 64}, {Plane{}});
  const TileFormat format = format_of(Compression::jpeg2000, {64, 64}, 1);
  const auto error_with = [&](const auto& change) {
    ByteVector stream = e.stream;
    change(stream);
    return error_text(decode(stream, format));
  };
  EXPECT_EQ(
      error_with([](ByteVector& s) {
        put_u32(s, 8, 0xFFFFFFFF);
        put_u32(s, 12, 0xFFFFFFFF);
        put_u32(s, 24, 0xFFFFFFFF);
        put_u32(s, 28, 0xFFFFFFFF);
      }),
      "unsupported: jpeg2000: 4294967295x4294967295 pixels in a tile of 64x64 are more than 4 times as many");
  EXPECT_EQ(error_with([](ByteVector& s) {
              put_u32(s, 8, 256);
              put_u32(s, 12, 256);
              put_u32(s, 24, 1);
              put_u32(s, 28, 1);
            }),
            "unsupported: jpeg2000: 65536 codestream tiles are not supported, 4096 at most");
  EXPECT_EQ(error_with([](ByteVector& s) { s[40] = s[41] = std::byte{0xFF}; }).find("corrupt: jpeg2000: "),
            0u);
  EXPECT_EQ(error_with([](ByteVector& s) { s[43] = std::byte{0}; }),
            "corrupt: jpeg2000: component 0 has a subsampling of 0x1");
  EXPECT_EQ(error_with([](ByteVector& s) { put_u32(s, 8, 0); }),
            "corrupt: jpeg2000: an image from 0,0 to 0,64");
  EXPECT_EQ(error_with([](ByteVector& s) { put_u32(s, 24, 0); }),
            "corrupt: jpeg2000: codestream tiles of 0x64 from 0,0 do not hold the image's corner 0,0");
  EXPECT_EQ(error_with([](ByteVector& s) { s[0] = std::byte{0}; }),
            "corrupt: jpeg2000: neither a JPEG 2000 codestream nor a JP2 file (" +
                std::to_string(e.stream.size()) + " bytes)");
}

ByteVector join(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const ByteVector& part : parts) std::copy(part.begin(), part.end(), std::back_inserter(all));
  return all;
}

ByteVector box(const char* type, const ByteVector& content) {
  ByteVector header(8);
  put_u32(header, 0, static_cast<uint32_t>(8 + content.size()));
  for (size_t i = 0; i < 4; ++i) header[4 + i] = static_cast<std::byte>(type[i]);
  return join({header, content});
}

TEST(Jpeg2000, BoxesLeadToTheCodestream) {
  const Encoded e = encode({0, 0, 16, 16}, {Plane{}});
  const TileFormat format = format_of(Compression::jpeg2000, {16, 16}, 1);
  const ByteVector signature = box("jP  ", ByteVector(4)), header = box("jp2h", box("ihdr", ByteVector(14)));
  const auto pixels = decode(join({signature, header, box("jp2c", e.stream)}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, *decode(e.stream, format));

  ByteVector to_the_end = box("jp2c", e.stream);
  put_u32(to_the_end, 0, 0);
  EXPECT_EQ(error_text(decode(join({signature, to_the_end}), format)), "ok");
  EXPECT_EQ(error_text(decode(join({signature, header}), format)),
            "corrupt: jpeg2000: a JP2 file without a codestream");
  const ByteVector palette = box("jp2h", join({box("ihdr", ByteVector(14)), box("pclr", ByteVector(10))}));
  EXPECT_EQ(error_text(decode(join({signature, palette, box("jp2c", e.stream)}), format)),
            "corrupt: jpeg2000: a palette without columns");
  ByteVector cut_box = box("jp2h", box("colr", ByteVector(7)));
  put_u32(cut_box, 8, 16);
  EXPECT_EQ(error_text(decode(join({signature, cut_box, box("jp2c", e.stream)}), format)),
            "corrupt: jpeg2000: a JP2 header box that passes the end of the header");
  ByteVector short_box = box("jp2h", {});
  put_u32(short_box, 0, 5);
  EXPECT_EQ(error_text(decode(join({signature, short_box}), format)),
            "corrupt: jpeg2000: JP2 box of 5 bytes, expected 8 or more");
}

TEST(Jpeg2000, TheLibrarysComplaintIsTheMessageAndNothingIsPrinted) {
  const Encoded e = encode({0, 0, 64, 64}, {Plane{}});
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const auto part = std::span(e.stream).first(e.stream.size() / 2);
  const std::string error = error_text(decode(part, format_of(Compression::jpeg2000, {64, 64}, 1)));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(error.find("corrupt: jpeg2000: "), 0u) << error;
  EXPECT_EQ(error.find("gives no reason"), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
}

/// A codestream of one HT code-block of 4 x 4 samples, with as many zero bit planes as there are planes, and
/// two passes, of which then only the first means anything.
ByteVector needless_ht_pass() {
  return bytes({
      0xFF, 0x4F,                                                                            // SOC
      0xFF, 0x51, 0, 41, 0,    0,    0, 0, 0, 4,  0, 0, 0,    4,    0, 0, 0, 0, 0, 0, 0, 0,  // SIZ: 4 x 4
      0,    0,    0, 4,  0,    0,    0, 4, 0, 0,  0, 0, 0,    0,    0, 0, 0, 1, 7, 1, 1,  // one tile; 8 bits
      0xFF, 0x52, 0, 12, 0,    0,    0, 1, 0, 0,  0, 0, 0x40, 1,     // COD: 5/3, no steps, HT
      0xFF, 0x5C, 0, 4,  0x20, 0x10,                                 // QCD: 1 guard bit, exponent 2
      0xFF, 0x90, 0, 10, 0,    0,    0, 0, 0, 21, 0, 1, 0xFF, 0x93,  // SOT, SOD
      0xD9, 0x08,               // packet header: included, 2 zero planes, 2 passes, of 4 and 1 bytes
      0,    0,    4, 0,  0x55,  // the passes
      0xFF, 0xD9,               // EOC
  });
}

// The library warns of it once in the life of a process.
TEST(Jpeg2000, WhatATileIsDoesNotDependOnThoseBefore) {
  const TileFormat format = format_of(Compression::jpeg2000, {4, 4}, 1);
  const auto first = decode(needless_ht_pass(), format), second = decode(needless_ht_pass(), format);
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  ASSERT_TRUE(second.ok()) << second.error().to_string();
  EXPECT_EQ(*first, *second);
}

}  // namespace
}  // namespace microtome::test
