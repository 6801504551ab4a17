#include "microtome/codec/for_test/fuzz_input.h"

#include <algorithm>

namespace microtome::test {
namespace {

constexpr size_t kHeader = 10;
constexpr int kMaxSide = 700;
constexpr uint8_t kFormat = 15, kWhole = 16;
constexpr int kReduceShift = 5;

uint16_t get16(std::span<const uint8_t> data, size_t i) {
  return static_cast<uint16_t>(data[i] | data[i + 1] << 8);
}

}  // namespace

std::optional<FuzzInput> FuzzInput::parse(std::span<const uint8_t> data) {
  if (data.size() < kHeader) return std::nullopt;
  FuzzInput input;
  input.flags = data[0];
  input.subject = data[1];
  input.width = get16(data, 2);
  input.height = get16(data, 4);
  input.request = get16(data, 6);
  const auto rest = std::as_bytes(data.subspan(kHeader));
  const auto tables = rest.first(std::min<size_t>(get16(data, 8), rest.size()));
  input.tables.assign(tables.begin(), tables.end());
  input.packed.assign(rest.begin() + static_cast<ptrdiff_t>(tables.size()), rest.end());
  return input;
}

std::vector<uint8_t> FuzzInput::bytes() const {
  std::vector<uint8_t> data{flags, subject};
  const auto tables_size = static_cast<uint16_t>(std::min<size_t>(tables.size(), 0xFFFF));
  for (const uint16_t value : {width, height, request, tables_size}) {
    data.push_back(static_cast<uint8_t>(value));
    data.push_back(static_cast<uint8_t>(value >> 8));
  }
  for (size_t i = 0; i < tables_size; ++i) data.push_back(std::to_integer<uint8_t>(tables[i]));
  for (const std::byte b : packed) data.push_back(std::to_integer<uint8_t>(b));
  return data;
}

TileFormat FuzzInput::format(const TestedCodec& codec) const {
  return codec.format_of(flags & kFormat, {width % kMaxSide + 1, height % kMaxSide + 1}, tables);
}

Request FuzzInput::asked(const TestedCodec& codec) const {
  Random random(request);
  const TileFormat tile = format(codec);
  const int reduce = std::min(flags >> kReduceShift & 3, codec.most_reduced());
  Request asked = random_request(tile, random, static_cast<uint8_t>(reduce));
  if ((flags & kWhole) != 0) {
    const Size size = reduced_size(tile.size, asked.reduce);
    asked.parts = {{0, 0, size.w, size.h}};
  }
  return asked;
}

FuzzInput random_input(const TestedCodec& codec, uint64_t seed, int max_side) {
  const RandomTile tile = codec.random_tile(seed, max_side);
  Random random(~seed);
  FuzzInput input;
  input.flags = static_cast<uint8_t>(codec.bits_of(tile.format) | (random.one_in(2) ? kWhole : 0) |
                                     (random.one_in(4) ? random.below(4) << kReduceShift : 0));
  input.subject = random.byte();
  input.width = static_cast<uint16_t>(tile.format.size.w - 1);
  input.height = static_cast<uint16_t>(tile.format.size.h - 1);
  input.request = static_cast<uint16_t>(random.below(0x10000));
  input.tables.assign(tile.format.tables.data.begin(), tile.format.tables.data.end());
  input.packed = tile.packed;
  return input;
}

void mutate(const TestedCodec& codec, FuzzInput& input, Random& random) {
  switch (random.below(16)) {
    case 0:
      input = random_input(codec, random.next(), random.one_in(8) ? 200 : random.one_in(2) ? 70 : 24);
      return;
    case 1:
      input.request = static_cast<uint16_t>(random.below(0x10000));
      return;
    case 2:
      input.subject = random.byte();
      input.flags ^= static_cast<uint8_t>(1 << random.below(7));
      return;
    case 3:
      (random.one_in(2) ? input.width : input.height) = static_cast<uint16_t>(random.below(kMaxSide));
      return;
    case 4:
    case 5:
      if (!input.tables.empty()) return codec.damage(input.tables, random);
      [[fallthrough]];
    default:
      codec.damage(input.packed, random);
  }
}

}  // namespace microtome::test
