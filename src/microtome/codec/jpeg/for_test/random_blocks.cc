#include "microtome/codec/jpeg/for_test/random_blocks.h"

#include <algorithm>
#include <cstdlib>

namespace microtome::jpeg::test {
namespace {

constexpr std::array<uint8_t, 64> zigzag() {
  std::array<uint8_t, 64> order{};
  int row = 0, column = 0;
  for (uint8_t& place : order) {
    place = static_cast<uint8_t>(8 * row + column);
    const bool up = (row + column) % 2 == 0;
    if (up && column == 7) {
      ++row;
    } else if (up && row == 0) {
      ++column;
    } else if (!up && row == 7) {
      ++column;
    } else if (!up && column == 0) {
      ++row;
    } else {
      row += up ? -1 : 1;
      column += up ? 1 : -1;
    }
  }
  return order;
}

constexpr int kMaxAc = 1023, kMaxDc = 1023;  // differences of DC values then need 11 bits at most
constexpr int kMaxWide = 32767, kMaxWideDc = 16383;

int row_of(int zigzag) {
  return kNaturalOfZigzag[static_cast<size_t>(zigzag)] / 8;
}
int column_of(int zigzag) {
  return kNaturalOfZigzag[static_cast<size_t>(zigzag)] % 8;
}

}  // namespace

constinit const std::array<uint8_t, 64> kNaturalOfZigzag = zigzag();

BlockSource::BlockSource(Random& random, bool wide) : random_(random), wide_(wide) {
  // Two streams of three are such as pictures give.
  constexpr int kUsual[] = {4, 16, 60, 60, 200, 200, 600, 1000};
  constexpr int kLarge[] = {60, 1000, 3000, 8000, 32767};
  const bool usual = !random_.one_in(3);
  kinds_ = usual ? kKinds - 1 : kKinds;
  amplitude_ = usual ? random_.pick(kUsual) : random_.pick(kLarge);
  pure_ = random_.one_in(4);
  favourite_ = random_.below(2 * kKinds);  // half of all streams have a kind that they are mostly made of
}

void BlockSource::next_mcu() {
  if (left_-- > 0) return;
  const int kind = favourite_ < kinds_ && (pure_ || !random_.one_in(4)) ? favourite_ : random_.below(kinds_);
  kind_ = static_cast<Kind>(kind);
  constexpr int kRuns[] = {1, 1, 2, 3, 8, 40, 200};
  left_ = random_.below(random_.pick(kRuns));
}

void BlockSource::set_quantised(Block& block, int zigzag, int value) const {
  const int limit = zigzag == 0 ? (wide_ ? kMaxWideDc : kMaxDc) : (wide_ ? kMaxWide : kMaxAc);
  block[static_cast<size_t>(zigzag)] = static_cast<int16_t>(std::clamp(value, -limit, limit));
}

void BlockSource::set(Block& block, int zigzag, int dequantised, int quant) const {
  set_quantised(block, zigzag, dequantised / std::max(quant, 1));
}

Block BlockSource::block(const QuantValues& quant, int previous_dc) {
  Block block{};
  block[0] = static_cast<int16_t>(previous_dc);
  if (kind_ == Kind::flat) return block;
  switch (random_.below(4)) {
    case 0:
      break;
    case 1:
      set_quantised(block, 0, previous_dc + random_.between(-3, 3));
      break;
    case 2:
      set(block, 0, random_.between(-1024, 1023), quant[0]);
      break;
    default:
      set_quantised(block, 0, previous_dc + random_.between(-amplitude_, amplitude_) / (quant[0] + 1));
  }
  fill_ac(block, quant);
  return block;
}

void BlockSource::fill_ac(Block& block, const QuantValues& quant) {
  const auto any = [&] { return random_.between(-amplitude_, amplitude_); };
  const auto put = [&](int k, int value) { set(block, k, value, quant[static_cast<size_t>(k)]); };
  switch (kind_) {
    case Kind::flat:
    case Kind::dc_only:
      return;
    case Kind::smooth:
      for (int k = 1; k < 25; ++k) {
        if (row_of(k) < 4 && column_of(k) < 4 && random_.one_in(3)) put(k, any() / k);
      }
      return;
    case Kind::texture:
      for (int k = 1, end = random_.between(1, 64); k < end; ++k) put(k, any() / (1 + k / 4));
      return;
    case Kind::noise:
      for (int k = 1; k < 64; ++k) put(k, any());
      return;
    case Kind::sparse:
      for (int i = random_.between(1, 4); i > 0; --i) {
        const int k = random_.between(1, 63);
        if (random_.one_in(2)) put(k, any());
        if (block[static_cast<size_t>(k)] == 0) set_quantised(block, k, random_.one_in(2) ? 1 : -1);
      }
      return;
    case Kind::last:
      set_quantised(block, 63, random_.between(-5, 5));
      if (random_.one_in(3)) set_quantised(block, random_.between(1, 62), 1);
      return;
    case Kind::lines: {
      const int which = random_.below(4);
      for (int k = 1; k < 64; ++k) {
        const int at = which % 2 == 0 ? row_of(k) : column_of(k);
        if (at <= which / 2 && random_.one_in(2)) put(k, any());
      }
      return;
    }
    case Kind::extreme:
      for (int i = random_.between(1, 12); i > 0; --i) {
        constexpr int kLimits[] = {127, 255, 1023, 2047, 4095, 8190, 8191, 8192, 16383, 32767};
        const int value = random_.pick(kLimits) + random_.between(-2, 2),
                  k = random_.below(random_.one_in(3) ? 64 : 9);
        if (random_.one_in(8)) {
          set_quantised(block, k, random_.one_in(2) ? value : -value);
        } else {
          put(k, random_.one_in(2) ? value : -value);
        }
      }
      return;
  }
}

}  // namespace microtome::jpeg::test
