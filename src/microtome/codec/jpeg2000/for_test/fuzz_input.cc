#include "microtome/codec/jpeg2000/for_test/fuzz_input.h"

#include "microtome/codec/jpeg2000/for_test/damage.h"
#include "microtome/codec/jpeg2000/for_test/random_stream.h"

namespace microtome::jpeg2000::test {
namespace {

constexpr size_t kHeader = 8;
constexpr int kMaxSide = 512;
constexpr uint8_t kComponents = 3, kYcbcr = 4, kWhole = 8, kWide = 16;

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
  input.packed.assign(rest.begin(), rest.end());
  return input;
}

std::vector<uint8_t> FuzzInput::bytes() const {
  std::vector<uint8_t> data{flags, subject};
  for (const uint16_t value : {width, height, request}) {
    data.push_back(static_cast<uint8_t>(value));
    data.push_back(static_cast<uint8_t>(value >> 8));
  }
  for (const std::byte b : packed) data.push_back(std::to_integer<uint8_t>(b));
  return data;
}

TileFormat FuzzInput::format() const {
  TileFormat format;
  format.compression = Compression::jpeg2000;
  format.size = {width % kMaxSide + 1, height % kMaxSide + 1};
  const bool wide = (flags & kWide) != 0;
  format.bits = wide ? 16 : 8;
  format.type = wide ? SampleType::u16 : SampleType::u8;
  format.samples = static_cast<uint16_t>((flags & kComponents) + 1);
  const bool ycbcr = (flags & kYcbcr) != 0 && format.samples == 3 && !wide;
  format.color = ycbcr ? Color::ycbcr : format.samples >= 3 ? Color::rgb : Color::black_is_zero;
  return format;
}

Request FuzzInput::asked() const {
  Random random(request);
  Request asked = random_request(format(), random);
  if ((flags & kWhole) != 0) asked.parts = {{0, 0, format().size.w, format().size.h}};
  return asked;
}

FuzzInput random_input(uint64_t seed, int max_side) {
  const RandomStream stream = random_stream(seed, max_side);
  Random random(~seed);
  FuzzInput input;
  input.flags = static_cast<uint8_t>((stream.format.samples - 1) | (is_ycbcr(stream.format) ? kYcbcr : 0) |
                                     (random.one_in(2) ? kWhole : 0) | (stream.format.bits > 8 ? kWide : 0));
  input.subject = random.byte();
  input.width = static_cast<uint16_t>(stream.format.size.w - 1);
  input.height = static_cast<uint16_t>(stream.format.size.h - 1);
  input.request = static_cast<uint16_t>(random.below(0x10000));
  input.packed = stream.packed;
  return input;
}

void mutate(FuzzInput& input, Random& random) {
  switch (random.below(16)) {
    case 0:
      input = random_input(random.next(), random.one_in(8) ? 150 : random.one_in(2) ? 60 : 20);
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
    default:
      damage(input.packed, random);
  }
}

}  // namespace microtome::jpeg2000::test
