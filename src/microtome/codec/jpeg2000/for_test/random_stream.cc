#include "microtome/codec/jpeg2000/for_test/random_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "microtome/codec/for_test/random.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/rewrite.h"

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

// The resolutions that have a sample in every tile and component: 1 and more. The library's encoder writes
// past its memory where a lower one has none.
int most_resolutions(const EncoderPlan& plan) {
  const EncoderOptions& o = plan.options;
  int most = 33;
  const auto limit = [&most](int64_t begin, int64_t end) {
    int resolutions = 0;
    for (int64_t round = 0;
         resolutions < most && (begin + round) >> resolutions < (end + round) >> resolutions;) {
      round = (int64_t{1} << ++resolutions) - 1;
    }
    most = std::max(1, resolutions);
  };
  const auto limit_tiles = [&limit](int64_t begin, int64_t end, int64_t first, int64_t side, uint32_t step) {
    for (int64_t tile = side > 0 ? first : begin; tile<end; tile += side> 0 ? side : end) {
      const int64_t from = std::max(tile, begin), to = side > 0 ? std::min(tile + side, end) : end;
      limit((from + step - 1) / step, (to + step - 1) / step);
    }
  };
  for (const EncoderPlane& plane : plan.planes) {
    limit_tiles(plan.grid.x, plan.grid.right(), o.tile_origin.w, o.tile.w, plane.dx);
    limit_tiles(plan.grid.y, plan.grid.bottom(), o.tile_origin.h, o.tile.h, plane.dy);
  }
  return most;
}

// How the stream is to be, besides its pixels.
class Maker {
 public:
  Maker(uint64_t seed, int max_side) : random_(seed), max_side_(max_side) {}

  RandomStream make() {
    choose_planes();
    choose_options();
    avoid_small_blocks();
    plan_.options.resolutions = std::min(plan_.options.resolutions, most_resolutions(plan_));
    for (EncoderPlane& plane : plan_.planes) paint(plane, plane_size(plan_.grid, plane), random_);
    if (separate_) {
      encode_separately();
    } else {
      result_.packed = encode(plan_);
    }
    if (!result_.packed.empty()) rewrite();
    if (plan_.options.tile.w != 0 && random_.one_in(3)) {
      interleave_parts(result_.packed, random_);
      rewritten_ += "interleaved ";
    }
    describe();
    return std::move(result_);
  }

 private:
  void not_plain() { result_.plain = false; }

  void describe() {
    const EncoderOptions& o = plan_.options;
    result_.description = fmt::format(
        "{}x{} at {},{} tiles {}x{} components {} ({}x{}, {} bits) resolutions {} layers {} blocks {}x{} "
        "style {} "
        "progression {} changes {} precincts {} region {} {}{}{}{}{}{}{}",
        plan_.grid.w, plan_.grid.h, plan_.grid.x, plan_.grid.y, o.tile.w, o.tile.h, plan_.planes.size(),
        plan_.planes.back().dx, plan_.planes.back().dy, plan_.planes[0].bits, o.resolutions, o.rates.size(),
        o.block_w, o.block_h, o.style, o.progression, changes_.size(), o.precincts.size(), o.region_shift,
        o.colour_transform ? "colour transform " : "", o.sop ? "SOP " : "", o.eph ? "EPH " : "",
        separate_ ? "separate " : "", rewritten_, o.irreversible ? "9/7" : "5/3",
        result_.plain ? "" : " not plain");
  }

  void choose_planes() {
    const auto side = [this] {
      return random_.one_in(4) ? 1 + random_.below(20) : 1 + random_.below(max_side_);
    };
    plan_.grid = {0, 0, side(), side()};
    if (random_.one_in(10)) {
      plan_.grid.x = random_.below(40);
      plan_.grid.y = random_.below(40);
      if (plan_.grid.x != 0 || plan_.grid.y != 0) not_plain();
    }
    const int counts[] = {1, 1, 2, 3, 3, 3, 3, 4};
    EncoderPlane plane;
    if (random_.one_in(10)) plane.bits = static_cast<uint32_t>(random_.between(1, 7));
    if (random_.one_in(4))
      plane.bits = random_.one_in(3) ? 16 : static_cast<uint32_t>(random_.between(9, 16));
    plane.is_signed = random_.one_in(10);
    plan_.planes.assign(static_cast<size_t>(random_.pick(counts)), plane);
    if (random_.one_in(12)) {
      for (EncoderPlane& each : plan_.planes) each.bits = static_cast<uint32_t>(random_.between(1, 16));
    }
    choose_sampling();
    uint32_t bits = 0;
    for (const EncoderPlane& each : plan_.planes) bits = std::max(bits, each.bits);
    TileFormat& format = result_.format;
    format.size = plan_.grid.size();
    format.samples = static_cast<uint16_t>(plan_.planes.size());
    format.compression = Compression::jpeg2000;
    format.color = format.samples >= 3 ? Color::rgb : Color::black_is_zero;
    const bool wide = bits > 8;
    format.bits = wide ? 16 : 8;
    format.type = plane.is_signed ? (wide ? SampleType::i16 : SampleType::i8)
                                  : (wide ? SampleType::u16 : SampleType::u8);
    const bool may_be_ycbcr = format.samples == 3 && format.type == SampleType::u8;
    if (may_be_ycbcr && random_.one_in(2)) format.compression = Compression::aperio_jpeg2000_ycbcr;
    if (may_be_ycbcr && random_.one_in(4)) format.compression = Compression::aperio_jpeg2000_rgb;
  }

  void choose_sampling() {
    if (plan_.planes.size() >= 3 && random_.one_in(3)) {
      for (size_t i = 1; i < 3; ++i) {
        plan_.planes[i].dx = 2;
        plan_.planes[i].dy = random_.one_in(3) ? 2 : 1;
      }
      if (plan_.planes[1].dy != plan_.planes[2].dy && random_.one_in(2)) plan_.planes[1].dx = 1;
    } else if (random_.one_in(12)) {
      for (EncoderPlane& plane : plan_.planes) {
        plane.dx = static_cast<uint32_t>(random_.between(1, 4));
        plane.dy = static_cast<uint32_t>(random_.between(1, 4));
        // Beside others, an order by position is one that the library does not follow.
        if (plane.dx == 3 || plane.dy == 3) not_plain();
      }
    }
    // The library's encoder reads past the samples of a component that the origin does not fall on; and its
    // decoder fails where a component has no sample.
    const bool subsampled =
        std::any_of(plan_.planes.begin(), plan_.planes.end(),
                    [](const EncoderPlane& plane) { return plane.dx > 1 || plane.dy > 1; });
    constexpr int64_t kMultipleOfAll = 12;
    if (subsampled) {
      plan_.grid.x -= plan_.grid.x % kMultipleOfAll;
      plan_.grid.y -= plan_.grid.y % kMultipleOfAll;
    }
  }

  void choose_options() {
    EncoderOptions& o = plan_.options;
    o.irreversible = random_.one_in(2);
    result_.reversible = !o.irreversible;
    o.resolutions = random_.one_in(4) ? random_.between(1, 9) : 6;
    const auto& p = plan_.planes;
    const bool same_size =
        p.size() >= 3 && p[1].dx == p[0].dx && p[1].dy == p[0].dy && p[2].dx == p[0].dx && p[2].dy == p[0].dy;
    o.colour_transform = same_size && random_.one_in(2);
    // Of components of several depths the encoder writes bit planes that there are not.
    if (o.colour_transform && (p[0].bits != p[1].bits || p[0].bits != p[2].bits)) not_plain();
    o.progression = random_.below(5);
    choose_blocks(o);
    choose_layers();
    choose_precincts(o);
    o.sop = random_.one_in(6);
    o.eph = random_.one_in(6);
    choose_tiles();
    if (random_.one_in(15)) {
      o.part_divider = random_.one_in(2) ? 'R' : 'L';
      not_plain();  // the encoder writes some that its own decoder refuses
    }
    if (random_.one_in(20)) {
      o.region_shift = random_.between(1, 8);
      o.region_component = random_.below(static_cast<int>(p.size()));
      if ((o.style & 1) != 0) not_plain();
    }
    if (random_.one_in(12) && o.tile.w == 0 && o.part_divider == 0) choose_changes();
    static constexpr const char* kGuards[] = {"GUARD_BITS=1", "GUARD_BITS=2", "GUARD_BITS=3", "GUARD_BITS=4"};
    if (random_.one_in(10)) o.extra.push_back(random_.pick(kGuards));
    if (random_.one_in(20)) o.extra.push_back(random_.one_in(2) ? "PLT=YES" : "TLM=YES");
    packed_headers_ = random_.one_in(10) && o.tile.w == 0 && o.part_divider == 0;
    if (packed_headers_ || !changes_.empty()) o.sop = o.eph = true;
    separate_ = random_.one_in(8) && p.size() > 1 && o.tile.w == 0 && o.part_divider == 0 &&
                !o.colour_transform && o.region_shift == 0;
  }

  // Tiles as large as a slide's would be cut, and any others.
  void choose_tiles() {
    EncoderOptions& o = plan_.options;
    if (!random_.one_in(10)) return;
    if (random_.one_in(2)) {
      o.tile = {1 << random_.between(4, 7), 1 << random_.between(4, 7)};
    } else {
      o.tile = {random_.between(16, 200), random_.between(16, 200)};
    }
    if (random_.one_in(3)) {
      const auto origin = [this](int64_t grid, int side) {
        return static_cast<int>(grid) - random_.below(std::min<int64_t>(grid + 1, side));
      };
      o.tile_origin = {origin(plan_.grid.x, o.tile.w), origin(plan_.grid.y, o.tile.h)};
    }
    not_plain();
  }

  // All packets, the first of them in an order of their own.
  void choose_changes() {
    const EncoderOptions& o = plan_.options;
    const auto layers = static_cast<uint32_t>(o.rates.size()),
               components = static_cast<uint32_t>(plan_.planes.size());
    const uint32_t resolutions = 10;  // or as many as there are
    const auto up_to = [this](uint32_t n) { return static_cast<uint32_t>(random_.below(n)); };
    for (int n = random_.between(1, 4); n > 0; --n) {
      const uint32_t r = up_to(resolutions), c = up_to(components);
      changes_.push_back({random_.one_in(2) ? 0 : r, random_.one_in(2) ? 0 : c, 1 + up_to(layers),
                          r + 1 + up_to(3), c + 1 + up_to(components - c), up_to(5)});
    }
    changes_.push_back({0, 0, layers, resolutions, components, up_to(5)});
  }

  // Components that are coded apart, each in its own way, and joined.
  void encode_separately() {
    constexpr int kBypassOrTerminate = 5, kComponentsFirst = 4;
    std::vector<Pieces> pieces;
    result_.reversible = true;
    for (const EncoderPlane& plane : plan_.planes) {
      EncoderPlan one{plan_.grid, {plane}, plan_.options};
      one.options.progression = kComponentsFirst;
      one.options.irreversible = random_.one_in(2);
      one.options.resolutions = std::min(random_.between(1, 7), most_resolutions(plan_));
      choose_blocks(one.options);
      one.options.style &= ~kBypassOrTerminate;
      one.options.precincts.clear();
      choose_precincts(one.options);
      result_.reversible = result_.reversible && !one.options.irreversible;
      const Stream stream = encode(one);
      auto apart = stream.empty() ? std::nullopt : take_apart(stream);
      if (!apart) return;
      pieces.push_back(std::move(*apart));
    }
    result_.packed = put_together(join_components(pieces));
  }

  void rewrite() {
    const bool adds = random_.one_in(8), moves = random_.one_in(10);
    if (!packed_headers_ && !adds && !moves && changes_.empty()) return;
    auto pieces = take_apart(result_.packed);
    if (!pieces) return;
    if (!changes_.empty() && !reorder_packets(*pieces, changes_)) changes_.clear();
    if (packed_headers_) {
      const bool in_main_header = random_.one_in(2);
      pack_headers(*pieces, in_main_header, random_.one_in(2), random_);
      rewritten_ += in_main_header ? "PPM " : "PPT ";
    }
    if (adds) {
      add_segments(*pieces, random_);
      rewritten_ += "added ";
    }
    if (moves) {
      move_to_tile_header(*pieces, random_.one_in(4), random_);
      rewritten_ += "moved ";
    }
    result_.packed = put_together(*pieces);
  }

  void choose_blocks(EncoderOptions& o) {
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

  void choose_precincts(EncoderOptions& o) {
    if (!random_.one_in(8)) return;
    // With fewer sizes than resolutions the encoder halves the last one, to nothing if need be.
    for (int i = 0; i < o.resolutions; ++i) {
      o.precincts.push_back({1 << random_.between(1, 9), 1 << random_.between(1, 9)});
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
  std::vector<Change> changes_;
  bool separate_ = false, packed_headers_ = false;
  std::string rewritten_;
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
