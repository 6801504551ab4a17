// Tiles at less than their resolution, against OpenJPEG, which is called here as its documentation says and
// not by our own code.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openjpeg.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"
#include "microtome/codec/for_test/random.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/rewrite.h"

namespace microtome::test {
namespace {

TileFormat rgb(Size size) {
  TileFormat format;
  format.compression = Compression::aperio_jpeg2000_rgb;
  format.color = Color::rgb;
  format.samples = 3;
  format.size = size;
  return format;
}

// Three components, two of them with every dx-th column, with two decompositions.
std::vector<std::byte> made(const Rect& grid, bool lossy, int tile, uint32_t dx) {
  jpeg2000::test::EncoderPlan plan;
  plan.grid = grid;
  plan.planes.resize(3);
  plan.planes[1].dx = plan.planes[2].dx = dx;
  Random random(9);
  for (auto& plane : plan.planes) {
    const Size size = jpeg2000::test::plane_size(grid, plane);
    for (int64_t i = 0; i < size.w * size.h; ++i) {
      plane.samples.push_back(static_cast<int32_t>(i / 11 % 2 * 100) + random.below(100));
    }
  }
  plan.options.irreversible = lossy;
  plan.options.resolutions = 3;
  plan.options.rates = {lossy ? 4.0f : 0.0f};
  plan.options.tile = {tile, tile};
  return jpeg2000::test::encode(plan);
}

// What OpenJPEG gives when it is asked itself to leave out `reduce` resolutions, as interleaved bytes with
// subsampled components replicated.
std::vector<std::byte> reduced_by_library(const std::vector<std::byte>& packed, Size size, int reduce) {
  struct Input {
    const std::vector<std::byte>& stream;
    size_t at = 0;
  } input{packed};
  opj_codec_t* codec = opj_create_decompress(OPJ_CODEC_J2K);
  opj_stream_t* stream = opj_stream_create(1 << 16, OPJ_TRUE);
  opj_stream_set_user_data(stream, &input, nullptr);
  opj_stream_set_user_data_length(stream, packed.size());
  opj_stream_set_read_function(stream, [](void* to, OPJ_SIZE_T room, void* self) -> OPJ_SIZE_T {
    auto& from = *static_cast<Input*>(self);
    const size_t n = std::min<size_t>(room, from.stream.size() - from.at);
    std::memcpy(to, from.stream.data() + from.at, n);
    from.at += n;
    return n == 0 ? static_cast<OPJ_SIZE_T>(-1) : n;
  });
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  parameters.cp_reduce = static_cast<OPJ_UINT32>(reduce);
  opj_image_t* image = nullptr;
  EXPECT_TRUE(opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
              opj_decode(codec, stream, image));
  std::vector<std::byte> pixels;
  const auto [w, h] = reduced_size(size, reduce);
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      for (OPJ_UINT32 i = 0; i < image->numcomps; ++i) {
        const opj_image_comp_t& c = image->comps[i];
        const int32_t value = c.data[y / c.dy * c.w + x / c.dx];
        pixels.push_back(static_cast<std::byte>(value));
      }
    }
  }
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return pixels;
}

// Encoded with two decompositions, in one tile and in several.
TEST(Jpeg2000Reduced, TilesAreWhatOpenJpegGives) {
  for (const int tile : {0, 32}) {
    for (const bool lossy : {false, true}) {
      for (const uint32_t dx : {1u, 2u}) {
        const auto packed = made({0, 0, 99, 90}, lossy, tile, dx);
        const TileFormat format = rgb({99, 90});
        const auto decoder = make_decoder(format);
        for (const int reduce : {1, 2}) {
          SCOPED_TRACE(fmt::format("tile {} lossy {} dx {} reduce {}", tile, lossy, dx, reduce));
          TileFormat reduced = format;
          reduced.size = reduced_size(format.size, reduce);
          const auto found = decode(*decoder, packed, format, whole(reduced), reduce);
          ASSERT_TRUE(found.ok()) << found.error().to_string();
          const std::vector<std::byte> expected = reduced_by_library(packed, format.size, reduce);
          ASSERT_EQ(found->size(), expected.size());
          for (size_t i = 0; i < expected.size(); ++i) {
            const int apart = std::to_integer<int>((*found)[i]) - std::to_integer<int>(expected[i]);
            ASSERT_LE(std::abs(apart), lossy ? 1 : 0) << i;
          }
        }
        EXPECT_EQ(decoder->decoded_by().own, 2u);
      }
    }
  }
}

TEST(Jpeg2000Reduced, AReductionBeyondTheStreamsIsNamed) {
  const TileFormat format = rgb({64, 64});
  const auto error = [&format](const Rect& grid, int reduce) {
    return error_text(decode(*make_decoder(format), made(grid, false, 0, 1), format, {0, 0, 1, 1}, reduce));
  };
  EXPECT_EQ(error({0, 0, 64, 64}, 2), "ok");
  EXPECT_EQ(error({0, 0, 64, 64}, 3),
            "unsupported: jpeg2000: 1/8 of the resolution, for which the stream has too few decompositions");
  EXPECT_EQ(error({4, 8, 64, 64}, 2), "ok");
  EXPECT_EQ(error({4, 6, 64, 64}, 2), "unsupported: jpeg2000: 1/4 of the resolution of an image from 4,6");
}

// The library looks at each COD as it reads it, whether or not the tile's header overrides it.
TEST(Jpeg2000Reduced, DecompositionsThatAreOverriddenCountToo) {
  auto pieces = jpeg2000::test::take_apart(made({0, 0, 64, 64}, true, 0, 1));
  ASSERT_TRUE(pieces);
  pieces->tile.push_back(pieces->segment(0x52));
  pieces->segment(0x52).body[5] = std::byte{1};  // of the main header's: one decomposition
  const auto packed = jpeg2000::test::put_together(*pieces);
  const TileFormat format = rgb({64, 64});
  const auto decoder = make_decoder(format);
  EXPECT_EQ(error_text(decode(*decoder, packed, format, {0, 0, 1, 1}, 1)), "ok");
  EXPECT_EQ(decoder->decoded_by().own, 1u);
  EXPECT_EQ(error_text(decode(*decoder, packed, format, {0, 0, 1, 1}, 2)),
            "unsupported: jpeg2000: 1/4 of the resolution, for which the stream has too few decompositions");
}

}  // namespace
}  // namespace microtome::test
