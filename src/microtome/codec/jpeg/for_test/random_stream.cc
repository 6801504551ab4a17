#include "microtome/codec/jpeg/for_test/random_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "microtome/codec/for_test/memory_sanitizer.h"
#include "microtome/codec/jpeg/for_test/stream_writer.h"

namespace microtome::jpeg::test {
namespace {

struct Factors {
  int h, v;
};
struct Layout {
  const char* name;
  int components;
  Factors factors[3];
};

constexpr Layout kPlainLayouts[] = {
    {"grey", 1, {{1, 1}}},
    {"444", 3, {{1, 1}, {1, 1}, {1, 1}}},
    {"422", 3, {{2, 1}, {1, 1}, {1, 1}}},
    {"440", 3, {{1, 2}, {1, 1}, {1, 1}}},
    {"420", 3, {{2, 2}, {1, 1}, {1, 1}}},
    {"420", 3, {{2, 2}, {1, 1}, {1, 1}}},
};
constexpr Layout kOddLayouts[] = {
    {"411", 3, {{4, 1}, {1, 1}, {1, 1}}},
    {"410", 3, {{4, 2}, {1, 1}, {1, 1}}},
    {"441", 3, {{1, 4}, {1, 1}, {1, 1}}},
    {"31", 3, {{3, 1}, {1, 1}, {1, 1}}},
    {"21,21,21", 3, {{2, 1}, {2, 1}, {2, 1}}},
    {"12,12,12", 3, {{1, 2}, {1, 2}, {1, 2}}},
    {"22,21,21", 3, {{2, 2}, {2, 1}, {2, 1}}},
    {"22,12,12", 3, {{2, 2}, {1, 2}, {1, 2}}},
    {"22,21,12", 3, {{2, 2}, {2, 1}, {1, 2}}},
    {"11,21,21", 3, {{1, 1}, {2, 1}, {2, 1}}},
    {"11,22,11", 3, {{1, 1}, {2, 2}, {1, 1}}},
    {"grey 22", 1, {{2, 2}}},
    {"grey 12", 1, {{1, 2}}},
    {"grey 41", 1, {{4, 1}}},
    {"22,22,11", 3, {{2, 2}, {2, 2}, {1, 1}}},
    {"41,21,11", 3, {{4, 1}, {2, 1}, {1, 1}}},
};

// T.81, tables K.1 and K.2, row by row.
constexpr uint8_t kLuminance[64] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,  //
                                    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,  //
                                    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,  //
                                    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr uint8_t kChrominance[64] = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                      24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

int random_side(int kind, int max_side, Random& random) {
  constexpr int kUsual[] = {8, 16, 32, 48, 64, 128, 240, 256, 256, 512};
  constexpr int kMost[] = {24, 24, 80, 80, 200, 200, 0, 600};
  const int side = kMost[kind] == 0 ? random.pick(kUsual) : random.between(1, kMost[kind]);
  return std::clamp(side, 1, max_side);
}

Size random_size(int max_side, Random& random) {
  if (max_side >= 600 && random.one_in(200)) {  // a strip
    const Size wide{random.between(1, 20 * max_side), random.between(1, 40)};
    return random.one_in(2) ? wide : Size{wide.h, wide.w};
  }
  const int kind = random.below(8);
  const int w = random_side(kind, max_side, random);
  return {w, random_side(random.one_in(4) ? random.below(8) : kind, max_side, random)};
}

// The scale of a quality from 1 to 100 is that of the Independent JPEG Group, which all encoders share.
QuantValues scaled_table(bool chrominance, int quality) {
  const int percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  QuantValues values;
  for (size_t k = 0; k < 64; ++k) {
    const int base = (chrominance ? kChrominance : kLuminance)[kNaturalOfZigzag[k]];
    values[k] = static_cast<uint16_t>(std::clamp((base * percent + 50) / 100, 1, 32767));
  }
  return values;
}

QuantValues random_table(bool chrominance, int quality, Random& random) {
  if (quality != 0) return scaled_table(chrominance, quality);
  constexpr int kLargest[] = {1, 2, 8, 16, 40, 255, 255, 1000, 8191, 65535};
  const int largest = random.pick(kLargest);
  QuantValues values;
  for (uint16_t& value : values) value = static_cast<uint16_t>(random.between(1, largest));
  if (random.one_in(4)) values[random.index(64)] = static_cast<uint16_t>(random.between(1, 65535));
  return values;
}

Oddity random_oddity(int components, Random& random) {
  if (!random.one_in(5)) return Oddity::none;
  const auto oddity = static_cast<Oddity>(random.between(1, kOddities - 1));
  const bool of_three = oddity == Oddity::separate_scans || oddity == Oddity::tables_of_each;
  return of_three && components == 1 ? Oddity::none : oddity;
}

int choose_quantisation(StreamPlan& plan, Random& random) {
  const int quality = random.one_in(2) ? random.between(1, 100) : 0;
  const bool shared = random.one_in(3);
  const int first = random.below(4);
  for (size_t i = 0; i < plan.components.size(); ++i) {
    const int step = shared             ? 0
                     : random.one_in(8) ? static_cast<int>(i)
                                        : std::min<int>(static_cast<int>(i), 1);
    plan.components[i].quant = static_cast<uint8_t>((first + step) % 4);
  }
  for (size_t i = 0; i < plan.components.size(); ++i) {
    const size_t slot = plan.components[i].quant;
    if (plan.quant_used[slot]) continue;
    plan.quant_used[slot] = true;
    plan.quant[slot] = random_table(i != 0, quality, random);
    if (plan.oddity == Oddity::zero_quantiser) plan.quant[slot][random.index(64)] = 0;
  }
  return quality;
}

void choose_huffman_tables(StreamPlan& plan, Random& random) {
  constexpr TableStyle kStyles[] = {TableStyle::standard,  TableStyle::standard, TableStyle::optimised,
                                    TableStyle::optimised, TableStyle::random,   TableStyle::long_codes,
                                    TableStyle::chain};
  const TableStyle both = random.pick(kStyles);
  plan.styles = {both, random.one_in(3) ? random.pick(kStyles) : both};
  const bool one = random.one_in(3);
  const int dc = random.one_in(2) ? 0 : random.below(4), ac = random.one_in(2) ? 0 : random.below(4);
  for (size_t i = 0; i < plan.components.size(); ++i) {
    const size_t set = plan.oddity == Oddity::tables_of_each ? i : one || i == 0 ? 0 : 1;
    plan.components[i].dc = static_cast<uint8_t>((static_cast<size_t>(dc) + set) % 4);
    plan.components[i].ac = static_cast<uint8_t>((static_cast<size_t>(ac) + set) % 4);
    if (plan.oddity == Oddity::no_tables) plan.components[i].dc = plan.components[i].ac = i == 0 ? 0 : 1;
  }
  if (plan.oddity == Oddity::no_tables) plan.styles = {TableStyle::standard, TableStyle::standard};
}

void fill_blocks(StreamPlan& plan, Random& random) {
  const McuGrid grid = mcu_grid(plan.size, plan.components);
  for (StreamComponent& c : plan.components) {
    c.blocks_w = grid.w * c.h;
    c.blocks_h = grid.h * c.v;
    c.blocks.resize(static_cast<size_t>(c.blocks_w) * static_cast<size_t>(c.blocks_h));
  }
  BlockSource source(random, plan.oddity == Oddity::wide);
  std::array<int, 3> previous{};
  for (int i = 0; i < grid.w * grid.h; ++i) {
    source.next_mcu();
    for (size_t n = 0; n < plan.components.size(); ++n) {
      StreamComponent& c = plan.components[n];
      for (int j = 0; j < c.h * c.v; ++j) {
        const int x = i % grid.w * c.h + j % c.h, y = i / grid.w * c.v + j / c.h;
        Block& block = c.blocks[static_cast<size_t>(y * c.blocks_w + x)];
        block = source.block(plan.quant[c.quant], previous[n]);
        previous[n] = block[0];
      }
    }
  }
}

int64_t largest_column(const StreamPlan& plan) {
  int64_t largest = 0;
  for (const StreamComponent& c : plan.components) {
    for (const Block& block : c.blocks) {
      std::array<int64_t, 8> sums{};
      for (size_t k = 0; k < 64; ++k)
        sums[kNaturalOfZigzag[k] % 8] += int64_t{std::abs(block[k])} * plan.quant[c.quant][k];
      largest = std::max(largest, *std::max_element(sums.begin(), sums.end()));
    }
  }
  return largest;
}

TileFormat format_of(const StreamPlan& plan, std::vector<std::byte> tables, Random& random) {
  TileFormat format;
  format.compression = Compression::jpeg;
  format.size = plan.size;
  if (plan.oddity == Oddity::other_size) {
    format.size = {random.between(1, static_cast<int>(plan.size.w)),
                   random.between(1, static_cast<int>(plan.size.h))};
  }
  format.samples = static_cast<uint16_t>(plan.components.size());
  format.bits = 8;
  // RGB is hardly ever subsampled, and our own decoder leaves it to the library.
  const StreamComponent& first = plan.components[0];
  const bool rgb = random.one_in(first.h * first.v == 1 ? 3 : 16);
  format.color = format.samples == 1 ? (random.one_in(4) ? Color::white_is_zero : Color::black_is_zero)
                 : rgb               ? Color::rgb
                                     : Color::ycbcr;
  if (!tables.empty()) {
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(tables));
    format.tables = {*owner, owner};
  }
  return format;
}

}  // namespace

RandomStream random_stream(uint64_t seed, int max_side) {
  Random random(seed);
  StreamPlan plan;
  plan.size = random_size(max_side, random);
  const Layout* layout = &random.pick(kPlainLayouts);
  plan.oddity = random_oddity(layout->components, random);
  if (plan.oddity == Oddity::sampling) layout = &random.pick(kOddLayouts);
  const int first_id = random.one_in(2) ? 1 : random.below(250);
  for (int i = 0; i < layout->components; ++i) {
    StreamComponent c;
    c.id = static_cast<uint8_t>(first_id + i);
    c.h = static_cast<uint8_t>(layout->factors[i].h);
    c.v = static_cast<uint8_t>(layout->factors[i].v);
    plan.components.push_back(c);
  }
  plan.restart_interval = random.one_in(3) ? random.between(1, 20) : 0;
  plan.extended = random.one_in(4);
  plan.abbreviated = random.one_in(2);
  const int quality = choose_quantisation(plan, random);
  choose_huffman_tables(plan, random);
  fill_blocks(plan, random);

  WrittenStream written = write_stream(plan, random);
  RandomStream stream;
  stream.format = format_of(plan, std::move(written.tables), random);
  stream.packed = std::move(written.packed);
  stream.largest = largest_column(plan);
  const bool subsampled = plan.components[0].h * plan.components[0].v != 1;
  stream.plain = plan.oddity == Oddity::none && !(subsampled && stream.format.color == Color::rgb);
  std::string description =
      fmt::format("{}x{} {} quality {} tables {},{} restart {} oddity {} largest {}{}", plan.size.w,
                  plan.size.h, layout->name, quality, static_cast<int>(plan.styles[0]),
                  static_cast<int>(plan.styles[1]), plan.restart_interval, static_cast<int>(plan.oddity),
                  stream.largest, plan.abbreviated ? " JPEGTables" : "");
  microtome::test::written_unseen(&description, sizeof description);
  microtome::test::written_unseen(description.data(), description.size());
  stream.description = std::move(description);
  stream.quant = plan.quant;
  stream.components = std::move(plan.components);
  return stream;
}

}  // namespace microtome::jpeg::test
