#include "microtome/codec/jpeg2000/for_test/random_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "microtome/codec/for_test/random.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"

namespace microtome::jpeg2000::test {
namespace {

using microtome::test::Random;

// A constant, a gradient, texture, noise, sparse dots, stripes of flat and noise: what each of the decoder's
// short cuts is for, and what none is.
void paint(EncoderPlane& plane, const Size& size, Random& random) {
  const int top = (1 << plane.bits) - 1, kind = random.below(7);
  const int base = random.below(top + 1), amplitude = 1 + random.below(top + 1);
  const double fx = random.below(100) / 100.0, fy = random.below(100) / 100.0;
  plane.samples.resize(static_cast<size_t>(size.w * size.h));
  for (int64_t y = 0; y < size.h; ++y) {
    for (int64_t x = 0; x < size.w; ++x) {
      int value = base;
      switch (kind) {
        case 0:
          break;
        case 1:
          value += static_cast<int>(x * amplitude / size.w + y * amplitude / size.h);
          break;
        case 2:
          value += static_cast<int>(amplitude / 2 * (std::sin(fx * double(x)) + std::cos(fy * double(y)))) +
                   random.below(1 + amplitude / 8);
          break;
        case 3:
          value = random.below(top + 1);
          break;
        case 4:
          if (random.one_in(200)) value = random.below(top + 1);
          break;
        case 5:
          if (x * 4 / size.w % 2 == 0) value = random.below(top + 1);
          break;
        default:
          value += random.below(3);
      }
      value = std::clamp(value, 0, top);
      plane.samples[static_cast<size_t>(y * size.w + x)] = plane.is_signed ? value - (top + 1) / 2 : value;
    }
  }
}

// How the stream is to be, besides its pixels.
class Maker {
 public:
  Maker(uint64_t seed, int max_side) : random_(seed), max_side_(max_side) {}

  RandomStream make() {
    choose_planes();
    choose_options();
    avoid_small_blocks();
    for (EncoderPlane& plane : plan_.planes) paint(plane, plane_size(plan_.grid, plane), random_);
    result_.packed = encode(plan_);
    const EncoderOptions& o = plan_.options;
    result_.description = fmt::format(
        "{}x{} at {},{} components {} ({}x{}, {} bits) resolutions {} layers {} blocks {}x{} style {} "
        "progression {} precincts {} {}{}{}{}{}",
        plan_.grid.w, plan_.grid.h, plan_.grid.x, plan_.grid.y, plan_.planes.size(), plan_.planes.back().dx,
        plan_.planes.back().dy, plan_.planes[0].bits, o.resolutions, o.rates.size(), o.block_w, o.block_h,
        o.style, o.progression, o.precincts.size(), o.colour_transform ? "colour transform " : "",
        o.sop ? "SOP " : "", o.eph ? "EPH " : "", o.irreversible ? "9/7" : "5/3",
        result_.plain ? "" : " not plain");
    return std::move(result_);
  }

 private:
  void not_plain() { result_.plain = false; }

  void choose_planes() {
    const auto side = [this] {
      return random_.one_in(4) ? 1 + random_.below(20) : 1 + random_.below(max_side_);
    };
    plan_.grid = {0, 0, side(), side()};
    if (random_.one_in(12)) {
      plan_.grid.x = random_.below(40);
      plan_.grid.y = random_.below(40);
      if (plan_.grid.x != 0 || plan_.grid.y != 0) not_plain();
    }
    const int counts[] = {1, 2, 3, 3, 3, 3, 4};
    EncoderPlane plane;
    if (random_.one_in(10)) plane.bits = static_cast<uint32_t>(random_.between(1, 7));
    if (random_.one_in(15)) {
      plane.bits = static_cast<uint32_t>(random_.between(9, 16));
      not_plain();
    }
    if (random_.one_in(25)) {
      plane.is_signed = true;
      not_plain();
    }
    plan_.planes.assign(static_cast<size_t>(random_.pick(counts)), plane);
    // The library fails where a subsampled component has no sample: not with an origin of 0.
    if (plan_.planes.size() >= 3 && random_.one_in(3) && plan_.grid.x == 0 && plan_.grid.y == 0) {
      for (size_t i = 1; i < 3; ++i) {
        plan_.planes[i].dx = 2;
        plan_.planes[i].dy = random_.one_in(3) ? 2 : 1;
      }
      if (plan_.planes[1].dy != plan_.planes[2].dy && random_.one_in(2)) plan_.planes[1].dx = 1;
    }
    TileFormat& format = result_.format;
    format.size = plan_.grid.size();
    format.samples = static_cast<uint16_t>(plan_.planes.size());
    format.compression = Compression::jpeg2000;
    format.color = format.samples >= 3 ? Color::rgb : Color::black_is_zero;
    const bool wide = plane.bits > 8;
    format.bits = wide ? 16 : 8;
    format.type = plane.is_signed ? (wide ? SampleType::i16 : SampleType::i8)
                                  : (wide ? SampleType::u16 : SampleType::u8);
    const bool may_be_ycbcr = format.samples == 3 && format.type == SampleType::u8;
    if (may_be_ycbcr && random_.one_in(2)) format.compression = Compression::aperio_jpeg2000_ycbcr;
    if (may_be_ycbcr && random_.one_in(4)) format.compression = Compression::aperio_jpeg2000_rgb;
  }

  void choose_options() {
    EncoderOptions& o = plan_.options;
    o.irreversible = random_.one_in(2);
    result_.reversible = !o.irreversible;
    o.resolutions = random_.one_in(4) ? random_.between(1, 9) : 6;
    const bool same_size = plan_.planes.size() >= 3 && plan_.planes[1].dx == 1 && plan_.planes[1].dy == 1 &&
                           plan_.planes[2].dx == 1 && plan_.planes[2].dy == 1;
    o.colour_transform = same_size && random_.one_in(2);
    o.progression = random_.below(5);
    choose_blocks();
    choose_layers();
    if (random_.one_in(8)) {
      // With fewer sizes than resolutions the encoder halves the last one, to nothing if need be.
      for (int i = 0; i < o.resolutions; ++i) {
        o.precincts.push_back({1 << random_.between(1, 9), 1 << random_.between(1, 9)});
      }
    }
    o.sop = random_.one_in(6);
    o.eph = random_.one_in(6);
    if (random_.one_in(20)) {
      o.tile = {random_.between(16, 200), random_.between(16, 200)};
      not_plain();
    }
    if (random_.one_in(15)) {
      o.part_divider = random_.one_in(2) ? 'R' : 'L';
      not_plain();  // the encoder writes some that its own decoder refuses
    }
    if (random_.one_in(30)) {
      o.region_shift = random_.between(1, 5);
      not_plain();
    }
    static constexpr const char* kGuards[] = {"GUARD_BITS=1", "GUARD_BITS=2", "GUARD_BITS=3", "GUARD_BITS=4"};
    if (random_.one_in(10)) o.extra.push_back(random_.pick(kGuards));
    if (random_.one_in(20)) {
      const bool plt = random_.one_in(2);
      o.extra.push_back(plt ? "PLT=YES" : "TLM=YES");
      if (!plt) not_plain();
    }
  }

  void choose_blocks() {
    EncoderOptions& o = plan_.options;
    if (random_.one_in(3)) {
      const int w = random_.between(2, 10), h = random_.between(2, std::min(10, 12 - w));
      o.block_w = 1 << w;
      o.block_h = 1 << h;
    }
    if (random_.one_in(6)) {
      o.style = random_.below(64);
    } else if (random_.one_in(6)) {
      o.style = 1 << random_.below(6);
    }
  }

  // The library's encoder writes past the memory of a code-block with few samples that is cut into many
  // codeword segments. So there are none with bypass or termination: sides are multiples of 64, halved twice
  // at most.
  void avoid_small_blocks() {
    EncoderOptions& o = plan_.options;
    constexpr int kBypass = 1, kTerminate = 4;
    if ((o.style & (kBypass | kTerminate)) == 0) return;
    if (o.tile.w != 0 || plan_.grid.x != 0 || plan_.grid.y != 0) {
      o.style &= ~(kBypass | kTerminate);
      return;
    }
    o.resolutions = std::min(o.resolutions, 3);
    o.precincts.clear();
    o.block_w = std::clamp(o.block_w, 8, 512);
    o.block_h = std::clamp(o.block_h, 8, 4096 / o.block_w);
    const auto up = [](int64_t side) { return (side + 63) / 64 * 64; };
    plan_.grid = {0, 0, up(plan_.grid.w), up(plan_.grid.h)};
    result_.format.size = plan_.grid.size();
  }

  void choose_layers() {
    const float rates[] = {0, 4, 8, 16, 40};
    const int layers = random_.one_in(3) ? random_.between(2, 6) : 1;
    plan_.options.rates.clear();
    for (int i = 0; i < layers; ++i) {
      const bool last = i + 1 == layers;
      plan_.options.rates.push_back(last ? random_.pick(rates) : static_cast<float>(200 >> i));
    }
  }

  Random random_;
  int max_side_;
  EncoderPlan plan_;
  RandomStream result_;
};

}  // namespace

RandomStream random_stream(uint64_t seed, int max_side) {
  // Options that the encoder refuses, such as a picture too small for its levels, are chosen anew.
  for (uint64_t attempt = 0;; ++attempt) {
    RandomStream stream = Maker(seed + (attempt << 48), max_side).make();
    if (!stream.packed.empty()) return stream;
  }
}

}  // namespace microtome::jpeg2000::test
