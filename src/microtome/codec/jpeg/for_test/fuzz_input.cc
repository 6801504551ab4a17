#include "microtome/codec/jpeg/for_test/fuzz_input.h"

#include <algorithm>
#include <cstring>

#include "microtome/codec/jpeg/for_test/damage.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"

namespace microtome::jpeg::test {
namespace {

constexpr size_t kHeader = 10;
constexpr int kMaxSide = 700;
constexpr uint8_t kGrey = 1, kOtherColor = 2, kWhole = 4;
constexpr int kReduceShift = 3;

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

TileFormat FuzzInput::format() const {
  TileFormat format;
  format.compression = Compression::jpeg;
  format.size = {width % kMaxSide + 1, height % kMaxSide + 1};
  format.bits = 8;
  const bool grey = (flags & kGrey) != 0, other = (flags & kOtherColor) != 0;
  format.samples = grey ? 1 : 3;
  format.color = grey    ? (other ? Color::white_is_zero : Color::black_is_zero)
                 : other ? Color::rgb
                         : Color::ycbcr;
  format.tables.data = tables;
  return format;
}

Request FuzzInput::asked() const {
  Random random(request);
  Request asked = random_request(format(), random, static_cast<uint8_t>(flags >> kReduceShift & 3));
  if ((flags & kWhole) != 0) {
    const Size size = reduced_size(format().size, asked.reduce);
    asked.parts = {{0, 0, size.w, size.h}};
  }
  return asked;
}

FuzzInput random_input(uint64_t seed, int max_side) {
  const RandomStream stream = random_stream(seed, max_side);
  Random random(~seed);
  FuzzInput input;
  const bool grey = stream.format.samples == 1;
  const bool other = stream.format.color == Color::rgb || stream.format.color == Color::white_is_zero;
  input.flags =
      static_cast<uint8_t>((grey ? kGrey : 0) | (other ? kOtherColor : 0) | (random.one_in(2) ? kWhole : 0));
  input.subject = random.byte();
  input.width = static_cast<uint16_t>(stream.format.size.w - 1);
  input.height = static_cast<uint16_t>(stream.format.size.h - 1);
  input.request = static_cast<uint16_t>(random.below(0x10000));
  input.tables.assign(stream.format.tables.data.begin(), stream.format.tables.data.end());
  input.packed = stream.packed;
  return input;
}

void mutate(FuzzInput& input, Random& random) {
  switch (random.below(16)) {
    case 0:
      input = random_input(random.next(), random.one_in(8) ? 200 : random.one_in(2) ? 70 : 24);
      return;
    case 1:
      input.request = static_cast<uint16_t>(random.below(0x10000));
      return;
    case 2:
      input.subject = random.byte();
      input.flags ^= static_cast<uint8_t>(1 << random.below(5));
      return;
    case 3:
      (random.one_in(2) ? input.width : input.height) = static_cast<uint16_t>(random.below(kMaxSide));
      return;
    case 4:
    case 5:
      if (!input.tables.empty()) return damage(input.tables, random);
      [[fallthrough]];
    default:
      damage(input.packed, random);
  }
}

}  // namespace microtome::jpeg::test
