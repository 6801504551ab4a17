#include "microtome/codec/jpeg2000/contexts.h"

#include <algorithm>

#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000 {
namespace {

struct Estimate {
  uint16_t qe;
  uint8_t after_mps, after_lps;
  bool exchange;
};

// Table C.2.
constexpr Estimate kEstimates[47] = {
    {0x5601, 1, 1, true},    {0x3401, 2, 6, false},   {0x1801, 3, 9, false},   {0x0AC1, 4, 12, false},
    {0x0521, 5, 29, false},  {0x0221, 38, 33, false}, {0x5601, 7, 6, true},    {0x5401, 8, 14, false},
    {0x4801, 9, 14, false},  {0x3801, 10, 14, false}, {0x3001, 11, 17, false}, {0x2401, 12, 18, false},
    {0x1C01, 13, 20, false}, {0x1601, 29, 21, false}, {0x5601, 15, 14, true},  {0x5401, 16, 14, false},
    {0x5101, 17, 15, false}, {0x4801, 18, 16, false}, {0x3801, 19, 17, false}, {0x3401, 20, 18, false},
    {0x3001, 21, 19, false}, {0x2801, 22, 19, false}, {0x2401, 23, 20, false}, {0x2201, 24, 21, false},
    {0x1C01, 25, 22, false}, {0x1801, 26, 23, false}, {0x1601, 27, 24, false}, {0x1401, 28, 25, false},
    {0x1201, 29, 26, false}, {0x1101, 30, 27, false}, {0x0AC1, 31, 28, false}, {0x09C1, 32, 29, false},
    {0x08A1, 33, 30, false}, {0x0521, 34, 31, false}, {0x0441, 35, 32, false}, {0x02A1, 36, 33, false},
    {0x0221, 37, 34, false}, {0x0141, 38, 35, false}, {0x0111, 39, 36, false}, {0x0085, 40, 37, false},
    {0x0049, 41, 38, false}, {0x0025, 42, 39, false}, {0x0015, 43, 40, false}, {0x0009, 44, 41, false},
    {0x0005, 45, 42, false}, {0x0001, 45, 43, false}, {0x5601, 46, 46, false}};

constexpr uint16_t offset_of(unsigned state, unsigned mps) {
  return static_cast<uint16_t>((2 * state + mps) * sizeof(CoderState));
}

constexpr CoderState make_state(unsigned index, unsigned mps) {
  const Estimate& e = kEstimates[index];
  CoderState state;
  state.qe = uint64_t{e.qe} << 48;
  state.next[0] = offset_of(e.after_mps, mps);
  state.next[1] = offset_of(e.after_lps, e.exchange ? 1 - mps : mps);
  state.self = offset_of(index, mps);
  state.mps = static_cast<uint8_t>(mps);
  return state;
}

// Table D.1: contexts by how many horizontal, vertical and diagonal neighbours are significant.
constexpr unsigned significance_context(Orientation orientation, unsigned h, unsigned v, unsigned d) {
  if (orientation == Orientation::hh) {
    const unsigned hv = h + v;
    if (d >= 3) return 8;
    if (d == 2) return hv != 0 ? 7 : 6;
    if (d == 1) return hv >= 2 ? 5 : hv != 0 ? 4 : 3;
    return hv >= 2 ? 2 : hv;
  }
  if (orientation == Orientation::hl) {
    const unsigned exchanged = h;
    h = v;
    v = exchanged;
  }
  if (h == 2) return 8;
  if (h == 1) return v != 0 ? 7 : d != 0 ? 6 : 5;
  if (v == 2) return 4;
  if (v == 1) return 3;
  return d >= 2 ? 2 : d;
}

constexpr unsigned significance_context_of(Orientation orientation, unsigned window) {
  const auto bit = [window](unsigned i) { return window >> i & 1; };
  return significance_context(orientation, bit(1) + bit(7), bit(3) + bit(5),
                              bit(0) + bit(2) + bit(6) + bit(8));
}

// Tables D.2 and D.3.
constexpr unsigned sign_entry(unsigned index) {
  const auto contribution = [index](unsigned a, unsigned b) {
    int sum = 0;
    for (const unsigned i : {a, b}) {
      if ((index >> i & 1) != 0) sum += (index >> (i + 4) & 1) != 0 ? -1 : 1;
    }
    return std::clamp(sum, -1, 1);
  };
  int h = contribution(0, 3), v = contribution(1, 2);
  const bool exchange = h < 0 || (h == 0 && v < 0);
  if (exchange) {
    h = -h;
    v = -v;
  }
  const int context = h == 1 ? 12 + v : 9 + v;
  return static_cast<unsigned>(context - 9) * 2 + (exchange ? 1 : 0);
}

constexpr ContextTables make_tables() {
  ContextTables tables{};
  for (unsigned i = 0; i < 47; ++i) {
    tables.states[2 * i] = make_state(i, 0);
    tables.states[2 * i + 1] = make_state(i, 1);
  }
  for (unsigned o = 0; o < 4; ++o) {
    for (unsigned window = 0; window < 512; ++window) {
      const unsigned context = significance_context_of(static_cast<Orientation>(o), window);
      tables.significance[o][window] = static_cast<uint8_t>(context * sizeof(CoderState));
    }
  }
  for (unsigned i = 0; i < 256; ++i) tables.sign[i] = static_cast<uint8_t>(sign_entry(i));
  return tables;
}

}  // namespace

constexpr ContextTables kTables = make_tables();

}  // namespace microtome::jpeg2000
