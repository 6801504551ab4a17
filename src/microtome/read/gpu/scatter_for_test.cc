#include "microtome/read/gpu/scatter_for_test.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tile.h"

namespace microtome::gpu::test {
namespace {

constexpr SampleType kTypes[] = {SampleType::u8,  SampleType::u16, SampleType::u32, SampleType::u64,
                                 SampleType::i8,  SampleType::i16, SampleType::i32, SampleType::i64,
                                 SampleType::f16, SampleType::f32, SampleType::f64};

// Space in a slab, with rows as far apart as `pitch`; everything between them is `0xEE`.
size_t reserve(std::vector<std::byte>& slab, size_t pitch, int64_t rows) {
  const size_t at = slab.size();
  slab.resize(at + (pitch * static_cast<size_t>(rows) + 15) / 16 * 16, std::byte{0xEE});
  return at;
}

// False: our decoder leaves the stream to the library.
bool add_jpeg(const jpeg::test::RandomStream& stream, jpeg::Headers& headers, jpeg::TileDecoder& decoder,
              TestTiles& to) {
  const jpeg::Frame* const frame = headers.read(stream.packed, stream.format.tables.data);
  if (frame == nullptr || frame->size != stream.format.size || frame->components != stream.format.samples)
    return false;
  TestTile tile;
  tile.samples = stream.format.samples;
  tile.description = stream.description;
  tile.slot.size = frame->size;
  tile.slot.planes = true;
  tile.slot.ycbcr = stream.format.color == Color::ycbcr;
  tile.slot.sampling = frame->sampling;
  const size_t before = to.slab.size();
  std::vector<ImageView> views;
  for (size_t c = 0; c < frame->components; ++c) {
    const Size size = jpeg::TileDecoder::plane_size(*frame, static_cast<int>(c));
    const size_t pitch = (static_cast<size_t>(size.w) + 15) / 16 * 16;
    tile.slot.plane[c] = reserve(to.slab, pitch, size.h);
    tile.slot.pitch[c] = static_cast<uint32_t>(pitch);
    views.push_back({nullptr, size, static_cast<int64_t>(pitch), 1, SampleType::u8});
  }
  for (size_t c = 0; c < views.size(); ++c) views[c].data = to.slab.data() + tile.slot.plane[c];
  const int64_t row = frame->size.w * tile.samples;
  tile.pixels.resize(static_cast<size_t>(row * frame->size.h));
  const ImageView view{tile.pixels.data(), frame->size, row, tile.samples, SampleType::u8};
  const auto codec = find_codec(stream.format).value()->make().value();
  const Rect whole{0, 0, frame->size.w, frame->size.h};
  const bool subsampled_colours =
      !tile.slot.ycbcr && tile.samples == 3 && frame->sampling != jpeg::Sampling::s444;
  if (subsampled_colours || !decoder.decode_planes(*frame, views) ||
      !codec->decode_part(stream.packed, stream.format, whole, view).ok()) {
    to.slab.resize(before);
    return false;
  }
  to.tiles.push_back(std::move(tile));
  return true;
}

void add_pixels(SampleType type, Random& random, TestTiles& to) {
  TestTile tile;
  tile.type = type;
  tile.samples = static_cast<uint16_t>(random.between(1, 5));
  if (random.one_in(2)) tile.samples = 3;
  tile.description = std::string(sample_name(type)) + " pixels";
  tile.slot.size = {random.between(1, 60), random.between(1, 60)};
  const size_t row = static_cast<size_t>(tile.slot.size.w) * tile.samples * sample_bytes(type);
  const size_t pitch = row + 8 * random.index(3) + (8 - row % 8) % 8;
  tile.slot.plane[0] = reserve(to.slab, pitch, tile.slot.size.h);
  tile.slot.pitch[0] = static_cast<uint32_t>(pitch);
  tile.pixels.resize(row * static_cast<size_t>(tile.slot.size.h));
  for (std::byte& byte : tile.pixels) byte = static_cast<std::byte>(random.byte());
  for (size_t y = 0; y < static_cast<size_t>(tile.slot.size.h); ++y)
    std::memcpy(to.slab.data() + tile.slot.plane[0] + y * pitch, tile.pixels.data() + y * row, row);
  to.tiles.push_back(std::move(tile));
}

// Cuts `rect` into rectangles of random tiles that are large enough, or of background.
void cut(const std::vector<const TestTile*>& tiles, uint32_t image, const Rect& rect, Random& random,
         std::vector<TestBatch::Part>& to) {
  const TestTile* tile = random.one_in(6) ? nullptr : tiles[random.index(tiles.size())];
  const bool fits = !tile || (tile->slot.size.w >= rect.w && tile->slot.size.h >= rect.h);
  if (fits && (rect.w * rect.h == 1 || !random.one_in(3))) {
    Point src;
    if (tile)
      src = {random.below(tile->slot.size.w - rect.w + 1), random.below(tile->slot.size.h - rect.h + 1)};
    to.push_back({tile, src, image, rect});
    return;
  }
  if (rect.w * rect.h == 1) {
    to.push_back({nullptr, {}, image, rect});
    return;
  }
  Rect one = rect, two = rect;
  if (rect.h == 1 || (rect.w > 1 && random.one_in(2))) {
    one.w = random.between(1, static_cast<int>(rect.w) - 1);
    two.x += one.w;
    two.w -= one.w;
  } else {
    one.h = random.between(1, static_cast<int>(rect.h) - 1);
    two.y += one.h;
    two.h -= one.h;
  }
  cut(tiles, image, one, random, to);
  cut(tiles, image, two, random, to);
}

template <class T>
T value_at(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

double number_at(const std::byte* at, SampleType type) {
  switch (type) {
    case SampleType::u8:
      return value_at<uint8_t>(at);
    case SampleType::u16:
      return value_at<uint16_t>(at);
    case SampleType::u32:
      return value_at<uint32_t>(at);
    case SampleType::u64:
      return static_cast<double>(value_at<uint64_t>(at));
    case SampleType::i8:
      return value_at<int8_t>(at);
    case SampleType::i16:
      return value_at<int16_t>(at);
    case SampleType::i32:
      return value_at<int32_t>(at);
    case SampleType::i64:
      return static_cast<double>(value_at<int64_t>(at));
    case SampleType::f16:
      return half_value(value_at<uint16_t>(at));
    case SampleType::f32:
      return static_cast<double>(value_at<float>(at));
    case SampleType::f64:
      return value_at<double>(at);
  }
  return 0;
}

}  // namespace

double half_value(uint16_t half) {
  const double sign = half & 0x8000 ? -1 : 1;
  const int exponent = half >> 10 & 31, mantissa = half & 1023;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

uint16_t nearest_half(double value) {
  if (std::isnan(value)) return 0x7fff;
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // The last of the non-negative halves, which are in the order of their bits, that is not above.
  uint16_t low = 0;
  for (uint16_t step = 0x4000; step > 0; step >>= 1)
    if (low + step < 0x7c00 && half_value(static_cast<uint16_t>(low + step)) <= magnitude)
      low = static_cast<uint16_t>(low + step);
  const double down = magnitude - half_value(low);
  const double next = low == 0x7bff ? 65536 : half_value(static_cast<uint16_t>(low + 1));
  const double up = next - magnitude;
  return sign | static_cast<uint16_t>(low + (down > up || (down == up && low % 2 != 0)));
}

TestTiles make_tiles(uint64_t seed, int streams) {
  TestTiles made;
  Random random(seed);
  jpeg::Headers headers;
  jpeg::TileDecoder decoder;
  for (int i = 0; i < streams; ++i)  // every fourth so narrow that the triangle filter has no place
    (void)add_jpeg(jpeg::test::random_stream(random.next() >> 16, i % 4 == 0 ? 7 : 90), headers, decoder,
                   made);
  for (const SampleType type : kTypes)
    for (int i = 0; i < 5; ++i) add_pixels(type, random, made);
  return made;
}

size_t TestBatch::output_bytes() const {
  return shape.output == Output::same ? sample_bytes(shape.type) : shape.output == Output::f16 ? 2 : 4;
}

size_t TestBatch::bytes() const {
  return shape.images * static_cast<size_t>(shape.patch.w * shape.patch.h) * shape.samples * output_bytes();
}

void TestBatch::put(const std::byte* pixel, bool background, size_t sample, std::byte* to) const {
  if (background || shape.output == Output::same) {
    std::memcpy(to, pixel + sample * output_bytes(), output_bytes());
    return;
  }
  const double number = number_at(pixel + sample * sample_bytes(shape.type), shape.type);
  const auto value = static_cast<float>(std::fma(number, affine[sample].scale, affine[sample].offset));
  const uint16_t half = nearest_half(static_cast<double>(value));
  if (shape.output == Output::f16)
    std::memcpy(to, &half, sizeof half);
  else
    std::memcpy(to, &value, sizeof value);
}

std::vector<std::byte> TestBatch::expected() const {
  std::vector<std::byte> pixels(bytes());
  const auto w = static_cast<size_t>(shape.patch.w), h = static_cast<size_t>(shape.patch.h);
  for (const Part& part : parts) {
    for (int64_t y = 0; y < part.dst.h; ++y) {
      for (int64_t x = 0; x < part.dst.w; ++x) {
        const auto at_x = static_cast<size_t>(part.dst.x + x), at_y = static_cast<size_t>(part.dst.y + y);
        const std::byte* pixel = fill.data();
        if (part.tile)
          pixel = part.tile->pixels.data() +
                  static_cast<size_t>((part.src.y + y) * part.tile->slot.size.w + part.src.x + x) *
                      shape.samples * sample_bytes(shape.type);
        for (size_t c = 0; c < shape.samples; ++c) {
          const size_t index = shape.planar ? ((part.image * shape.samples + c) * h + at_y) * w + at_x
                                            : ((part.image * h + at_y) * w + at_x) * shape.samples + c;
          put(pixel, !part.tile, c, pixels.data() + index * output_bytes());
        }
      }
    }
  }
  return pixels;
}

Status TestBatch::list(cuda::DeviceAddress slab, PieceList& to) const {
  for (const Part& part : parts) {
    if (!part.tile) {
      const Status added = to.add_fill(part.image, part.dst);
      if (!added.ok()) return added;
      continue;
    }
    SlabSlot slot = part.tile->slot;
    for (auto& plane : slot.plane) plane += slab;
    const Rect src{part.src.x, part.src.y, part.dst.w, part.dst.h};
    const Status added = to.add_tile(slot, src, part.image, {part.dst.x, part.dst.y});
    if (!added.ok()) return added;
  }
  return ok_status();
}

std::string TestBatch::difference(const std::byte* found, const std::vector<std::byte>& expected) const {
  if (std::memcmp(found, expected.data(), expected.size()) == 0) return {};
  const size_t size = output_bytes();
  for (size_t i = 0; i < expected.size(); i += size) {
    if (std::memcmp(found + i, expected.data() + i, size) == 0) continue;
    if (shape.output == Output::f32 && std::isnan(value_at<float>(found + i)) &&
        std::isnan(value_at<float>(expected.data() + i)))
      continue;
    std::string text = "sample " + std::to_string(i / size) + " of patches of " +
                       std::to_string(shape.patch.w) + "x" + std::to_string(shape.patch.h) + "x" +
                       std::to_string(shape.samples) + ", output " +
                       std::to_string(static_cast<int>(shape.output)) + (shape.planar ? " planar:" : ":");
    for (const Part& part : parts)
      if (part.tile) text += " [" + part.tile->description + "]";
    return text;
  }
  return {};
}

TestBatch random_batch(const TestTiles& tiles, Random& random) {
  TestBatch batch;
  const TestTile& first = tiles.tiles[random.index(tiles.tiles.size())];
  std::vector<const TestTile*> alike;
  for (const TestTile& tile : tiles.tiles)
    if (tile.samples == first.samples && tile.type == first.type) alike.push_back(&tile);
  BatchShape& shape = batch.shape;
  shape.images = static_cast<uint32_t>(random.between(1, 3));
  const int sides[] = {1, 2, 3, 5, 8, 13, 16, 33, 64};
  shape.patch = {random.one_in(2) ? random.pick(sides) : random.between(1, 50),
                 random.one_in(2) ? random.pick(sides) : random.between(1, 50)};
  shape.samples = first.samples;
  shape.type = first.type;
  shape.output = random.pick({Output::same, Output::f16, Output::f32});
  shape.planar = random.one_in(2);
  for (size_t i = 0; i < shape.samples * sizeof(double); ++i)
    batch.fill.push_back(static_cast<std::byte>(random.byte()));
  for (size_t i = 0; i < shape.samples; ++i) {
    const double mean = random.one_in(4) ? 0 : random.between(0, 25500) / 100.0;
    batch.affine.push_back(
        normalisation(mean, random.one_in(4) ? 1 : random.between(1, 9999) / 100.0).value());
  }
  for (uint32_t image = 0; image < shape.images; ++image)
    cut(alike, image, {0, 0, shape.patch.w, shape.patch.h}, random, batch.parts);
  return batch;
}

}  // namespace microtome::gpu::test
