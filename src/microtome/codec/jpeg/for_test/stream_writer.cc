#include "microtome/codec/jpeg/for_test/stream_writer.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

namespace microtome::jpeg::test {
namespace {

using Stream = std::vector<std::byte>;

// One Huffman symbol with the bits that follow it, or a restart marker.
struct Token {
  static constexpr uint8_t kRestart = 255;
  uint8_t table = 0;  // 0 to 3: DC, 4 to 7: AC
  uint8_t symbol = 0, bits = 0;
  uint16_t value = 0;
};

Token token(int table, int run, int value) {
  const auto bits = static_cast<int>(std::bit_width(static_cast<unsigned>(std::abs(value))));
  const int extra = value < 0 ? value + (1 << bits) - 1 : value;  // T.81, F.1.2.1: one's complement
  return {static_cast<uint8_t>(table), static_cast<uint8_t>(run << 4 | bits), static_cast<uint8_t>(bits),
          static_cast<uint16_t>(extra)};
}

int ceil_div(int64_t a, int64_t b) {
  return static_cast<int>((a + b - 1) / b);
}

// The entropy-coded data of one scan as tokens.
class ScanTokens {
 public:
  ScanTokens(StreamPlan& plan, const McuGrid& grid, Random& random)
      : plan_(plan), grid_(grid), random_(random) {}

  std::vector<Token> of(const std::vector<size_t>& components) {
    tokens_.clear();
    previous_.fill(0);
    int count = 0;
    const auto begin_mcu = [&] {
      if (plan_.restart_interval != 0 && count != 0 && count % plan_.restart_interval == 0) {
        tokens_.push_back({Token::kRestart, 0, 0, 0});
        previous_.fill(0);
      }
      ++count;
    };
    if (components.size() == 1) {  // T.81, A.2.2: not interleaved, and without the padding to whole MCUs
      StreamComponent& c = plan_.components[components[0]];
      const int w = ceil_div(plan_.size.w * c.h, 8 * grid_.max_h);
      const int h = ceil_div(plan_.size.h * c.v, 8 * grid_.max_v);
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          begin_mcu();
          add(components[0], x, y);
        }
      }
      return std::move(tokens_);
    }
    for (int y = 0; y < grid_.h; ++y) {
      for (int x = 0; x < grid_.w; ++x) {
        begin_mcu();
        for (const size_t i : components) add_mcu(i, x, y);
      }
    }
    return std::move(tokens_);
  }

 private:
  void add_mcu(size_t component, int x, int y) {
    const StreamComponent& c = plan_.components[component];
    for (int v = 0; v < c.v; ++v) {
      for (int h = 0; h < c.h; ++h) add(component, x * c.h + h, y * c.v + v);
    }
  }

  void add(size_t component, int x, int y) {
    StreamComponent& c = plan_.components[component];
    Block& block =
        c.blocks[static_cast<size_t>(y) * static_cast<size_t>(c.blocks_w) + static_cast<size_t>(x)];
    tokens_.push_back(token(c.dc, 0, block[0] - previous_[component]));
    previous_[component] = block[0];
    const int ac = 4 + c.ac;
    int k = 1;
    for (int i = 1; i < 64; ++i) {
      if (block[static_cast<size_t>(i)] == 0) continue;
      for (; i - k > 15; k += 16) tokens_.push_back(token(ac, 15, 0));
      tokens_.push_back(token(ac, i - k, block[static_cast<size_t>(i)]));
      k = i + 1;
    }
    if (k < 64) end_block(block, ac, k);
  }

  void end_block(Block& block, int ac, int k) {
    const bool odd = random_.one_in(4);
    if (odd && plan_.oddity == Oddity::overrun) {
      for (; k < 49; k += 16) tokens_.push_back(token(ac, 15, 0));
      if (k > 63) return;
      if (random_.one_in(2)) return tokens_.push_back(token(ac, 15, 0));
      // libjpeg-turbo keeps what lies behind the block as the last coefficient.
      block[63] = random_.one_in(2) ? 1 : -1;
      return tokens_.push_back(token(ac, random_.between(64 - k, 15), block[63]));
    }
    if (odd && plan_.oddity == Oddity::empty_runs) {
      for (; k < 48 && random_.one_in(2); k += 16) tokens_.push_back(token(ac, 15, 0));
    }
    const int run = odd && plan_.oddity == Oddity::other_end ? random_.below(15) : 0;
    tokens_.push_back(token(ac, run, 0));
  }

  StreamPlan& plan_;     // unowned: the caller's
  const McuGrid& grid_;  // unowned: the caller's
  Random& random_;       // unowned: the caller's
  std::vector<Token> tokens_;
  std::array<int, 4> previous_{};
};

struct Segment {
  uint8_t marker = 0;
  std::vector<uint8_t> payload;
  int slot = -1;  // of the table that it defines: 0 to 3 quantisation, 4 to 7 DC, 8 to 11 AC
  bool decoy = false;
};

constexpr uint8_t kDht = 0xC4, kDqt = 0xDB, kDri = 0xDD, kSos = 0xDA, kCom = 0xFE;

void put16(std::vector<uint8_t>& out, int64_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

class Assembler {
 public:
  Assembler(StreamPlan& plan, Random& random)
      : plan_(plan), random_(random), grid_(mcu_grid(plan.size, plan.components)) {}

  WrittenStream write() {
    std::vector<std::vector<size_t>> scans(1);
    for (size_t i = 0; i < plan_.components.size(); ++i) scans[0].push_back(i);
    if (plan_.oddity == Oddity::separate_scans) {
      for (size_t i = 1; i < plan_.components.size(); ++i) scans.push_back({i});
      scans[0].resize(1);
    }
    for (const auto& scan : scans) tokens_.push_back(ScanTokens(plan_, grid_, random_).of(scan));
    make_tables();
    WrittenStream written;
    header(written);
    for (size_t i = 0; i < scans.size(); ++i) write_scan(scans[i], tokens_[i], written.packed);
    if (plan_.oddity != Oddity::no_end) marker(written.packed, 0xD9);
    if (plan_.oddity == Oddity::bytes_after_end) {
      for (int i = random_.between(1, 40); i > 0; --i) written.packed.push_back(std::byte{random_.byte()});
    }
    return written;
  }

 private:
  void make_tables() {
    std::array<Frequencies, 8> frequencies{};
    std::array<bool, 8> used{};
    for (const auto& scan : tokens_) {
      for (const Token& t : scan) {
        if (t.table == Token::kRestart) continue;
        ++frequencies[t.table][t.symbol];
        used[t.table] = true;
      }
    }
    for (size_t i = 0; i < 8; ++i) {
      const bool ac = i >= 4;
      const TableStyle style = plan_.styles[ac ? 1 : 0];
      const CodeTable& standard = standard_table(ac, random_.one_in(2));
      if (!used[i]) continue;
      table_used_[i] = true;
      if (style == TableStyle::standard && covers(standard, frequencies[i])) {
        tables_[i] = standard;
        continue;
      }
      if (style != TableStyle::optimised) {
        for (int n = random_.below(20); n > 0; --n) ++frequencies[i][unused_symbol(ac)];
      }
      tables_[i] = make_table(style, frequencies[i], random_);
    }
    if (plan_.oddity == Oddity::no_tables) use_standard_tables(frequencies);
  }

  size_t unused_symbol(bool ac) {
    if (!ac) return random_.index(12);
    return 16 * random_.index(16) + 1 + random_.index(10);
  }

  // Without tables, slot 0 is luminance's and slot 1 chrominance's. Where they lack a symbol the tables are
  // written.
  void use_standard_tables(const std::array<Frequencies, 8>& frequencies) {
    for (size_t i = 0; i < 8; ++i) {
      if (table_used_[i] && (i % 4 > 1 || !covers(standard_table(i >= 4, i % 4 == 1), frequencies[i])))
        return;
    }
    for (size_t i = 0; i < 8; ++i) {
      if (table_used_[i]) tables_[i] = standard_table(i >= 4, i % 4 == 1);
    }
    omit_huffman_ = true;
  }

  Segment quant_segment(int slot, const QuantValues& values) {
    const bool wide = random_.one_in(8) || *std::max_element(values.begin(), values.end()) > 255;
    Segment segment{kDqt, {static_cast<uint8_t>((wide ? 16 : 0) + slot)}, slot};
    for (const uint16_t value : values) {
      if (wide) segment.payload.push_back(static_cast<uint8_t>(value >> 8));
      segment.payload.push_back(static_cast<uint8_t>(value));
    }
    return segment;
  }

  Segment huffman_segment(int table, const CodeTable& codes) {
    const int slot = table % 4;
    Segment segment{kDht, {static_cast<uint8_t>((table >= 4 ? 16 : 0) + slot)}, 4 + table};
    segment.payload.insert(segment.payload.end(), codes.counts.begin() + 1, codes.counts.end());
    segment.payload.insert(segment.payload.end(), codes.symbols.begin(), codes.symbols.end());
    return segment;
  }

  Segment decoy_of(const Segment& segment) {
    Segment decoy;
    if (segment.marker == kDqt) {
      QuantValues values;
      for (uint16_t& value : values) value = static_cast<uint16_t>(random_.between(1, 255));
      decoy = quant_segment(segment.slot, values);
    } else {
      const bool ac = segment.slot >= 8;
      Frequencies frequencies{};
      for (int i = random_.between(1, 40); i > 0; --i) ++frequencies[unused_symbol(ac)];
      decoy = huffman_segment(segment.slot - 4, make_table(TableStyle::random, frequencies, random_));
    }
    decoy.decoy = true;
    return decoy;
  }

  Segment frame_segment() {
    Segment segment{static_cast<uint8_t>(plan_.extended ? 0xC1 : 0xC0), {8}};
    put16(segment.payload, plan_.size.h);
    put16(segment.payload, plan_.size.w);
    segment.payload.push_back(static_cast<uint8_t>(plan_.components.size()));
    for (const StreamComponent& c : plan_.components) {
      for (const int byte : {int{c.id}, c.h << 4 | c.v, int{c.quant}}) {
        segment.payload.push_back(static_cast<uint8_t>(byte));
      }
    }
    return segment;
  }

  Segment ignored_segment() {
    if (random_.one_in(4)) {
      const uint8_t version = static_cast<uint8_t>(random_.one_in(4) ? 9 : 1);
      return {0xE0, {'J', 'F', 'I', 'F', 0, version, 1, 0, 0, 1, 0, 1, 0, 0}};
    }
    if (random_.one_in(4)) {
      return {0xEE, {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, static_cast<uint8_t>(random_.below(4))}};
    }
    Segment segment{static_cast<uint8_t>(random_.one_in(3) ? kCom : 0xE1 + random_.below(13)), {}};
    for (int i = random_.below(40); i > 0; --i) segment.payload.push_back(random_.byte());
    return segment;
  }

  // Every table that is used, with a decoy before some, to the tables' stream or to the tile's.
  void share_out_tables(std::vector<Segment>& apart, std::vector<Segment>& own) {
    const bool all_apart = random_.one_in(2);
    const auto add = [&](const Segment& segment) {
      const bool to_apart = plan_.abbreviated && (all_apart || random_.one_in(2));
      if (random_.one_in(8)) (plan_.abbreviated ? apart : own).push_back(decoy_of(segment));
      (to_apart ? apart : own).push_back(segment);
    };
    for (int i = 0; i < 4; ++i) {
      if (plan_.quant_used[static_cast<size_t>(i)])
        add(quant_segment(i, plan_.quant[static_cast<size_t>(i)]));
    }
    for (int i = 0; i < 8 && !omit_huffman_; ++i) {
      if (table_used_[static_cast<size_t>(i)]) add(huffman_segment(i, tables_[static_cast<size_t>(i)]));
    }
  }

  void header(WrittenStream& written) {
    std::vector<Segment> apart, own{frame_segment()};
    share_out_tables(apart, own);
    if (plan_.restart_interval != 0) {
      own.push_back({kDri, {}});
      put16(own.back().payload, plan_.restart_interval);
    }
    for (int i = random_.below(3); i > 0; --i) own.push_back(ignored_segment());
    written.packed = {std::byte{0xFF}, std::byte{0xD8}};
    write_segments(own, written.packed);
    if (!plan_.abbreviated) return;
    if (random_.one_in(16))
      apart.push_back({kDri, {0, static_cast<uint8_t>(random_.below(9))}});  // SOI forgets it
    written.tables = {std::byte{0xFF}, std::byte{0xD8}};
    write_segments(apart, written.tables);
    written.tables.insert(written.tables.end(), {std::byte{0xFF}, std::byte{0xD9}});
  }

  void write_segments(std::vector<Segment>& segments, Stream& out) {
    for (size_t i = segments.size(); i > 1; --i) std::swap(segments[i - 1], segments[random_.index(i)]);
    for (size_t i = 0; i < segments.size(); ++i) {
      for (size_t j = i + 1; j < segments.size() && segments[i].slot >= 0 && !segments[i].decoy; ++j) {
        if (segments[j].slot == segments[i].slot) std::swap(segments[i], segments[j]);
      }
    }
    for (size_t i = 0; i < segments.size(); ++i) {
      std::vector<uint8_t> payload = segments[i].payload;
      const uint8_t kind = segments[i].marker;
      for (; i + 1 < segments.size() && segments[i + 1].marker == kind && (kind == kDqt || kind == kDht) &&
             random_.one_in(2);
           ++i) {
        payload.insert(payload.end(), segments[i + 1].payload.begin(), segments[i + 1].payload.end());
      }
      write_segment(kind, payload, out);
    }
  }

  void write_segment(uint8_t kind, const std::vector<uint8_t>& payload, Stream& out) {
    marker(out, kind);
    std::vector<uint8_t> length;
    put16(length, static_cast<int64_t>(payload.size()) + 2);
    for (const uint8_t byte : length) out.push_back(std::byte{byte});
    for (const uint8_t byte : payload) out.push_back(std::byte{byte});
  }

  void marker(Stream& out, uint8_t kind) {
    if (plan_.oddity == Oddity::fill_bytes) out.insert(out.end(), random_.index(4), std::byte{0xFF});
    out.push_back(std::byte{0xFF});
    out.push_back(std::byte{kind});
  }

  void write_scan(const std::vector<size_t>& scan, const std::vector<Token>& tokens, Stream& out) {
    std::vector<uint8_t> payload{static_cast<uint8_t>(scan.size())};
    for (const size_t i : scan) {
      const StreamComponent& c = plan_.components[i];
      payload.push_back(c.id);
      payload.push_back(static_cast<uint8_t>(c.dc << 4 | c.ac));
    }
    payload.insert(payload.end(), {0, 63, 0});
    write_segment(kSos, payload, out);
    BitWriter bits(out);
    const bool ones = plan_.oddity != Oddity::zero_padding;
    int restarts = 0;
    for (const Token& t : tokens) {
      if (t.table == Token::kRestart) {
        bits.pad(ones);
        marker(out, static_cast<uint8_t>(0xD0 + restarts++ % 8));
        continue;
      }
      const CodeTable& table = tables_[t.table];
      bits.put(table.code[t.symbol], table.length[t.symbol]);
      bits.put(t.value, t.bits);
    }
    bits.pad(ones);
  }

  StreamPlan& plan_;  // unowned: the caller's
  Random& random_;    // unowned: the caller's
  McuGrid grid_;
  std::vector<std::vector<Token>> tokens_;  // of each scan
  std::array<CodeTable, 8> tables_;
  std::array<bool, 8> table_used_{};
  bool omit_huffman_ = false;
};

}  // namespace

McuGrid mcu_grid(Size size, const std::vector<StreamComponent>& components) {
  McuGrid grid;
  for (const StreamComponent& c : components) {
    grid.max_h = std::max<int>(grid.max_h, c.h);
    grid.max_v = std::max<int>(grid.max_v, c.v);
  }
  grid.w = ceil_div(size.w, 8 * grid.max_h);
  grid.h = ceil_div(size.h, 8 * grid.max_v);
  return grid;
}

WrittenStream write_stream(StreamPlan& plan, Random& random) {
  return Assembler(plan, random).write();
}

}  // namespace microtome::jpeg::test
