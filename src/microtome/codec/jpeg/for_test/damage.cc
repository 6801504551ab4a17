#include "microtome/codec/jpeg/for_test/damage.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace microtome::jpeg::test {
namespace {

using Stream = std::vector<std::byte>;

constexpr int kSoi = 0xD8, kEoi = 0xD9, kSos = 0xDA, kDqt = 0xDB, kDri = 0xDD, kDht = 0xC4, kRst0 = 0xD0;

int at(const Stream& stream, size_t i) {
  return i < stream.size() ? std::to_integer<int>(stream[i]) : -1;
}
void set(Stream& stream, size_t i, int value) {
  if (i < stream.size()) stream[i] = static_cast<std::byte>(value);
}
void insert(Stream& stream, size_t i, std::initializer_list<int> bytes) {
  Stream added;
  for (const int byte : bytes) added.push_back(static_cast<std::byte>(byte));
  i = std::min(i, stream.size());
  stream.insert(stream.begin() + static_cast<ptrdiff_t>(i), added.begin(), added.end());
}
void erase(Stream& stream, size_t from, size_t to) {
  to = std::min(to, stream.size());
  if (from < to) {
    stream.erase(stream.begin() + static_cast<ptrdiff_t>(from), stream.begin() + static_cast<ptrdiff_t>(to));
  }
}

bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != kDht && marker != 0xC8 && marker != 0xCC;
}

struct Segment {
  int marker;
  size_t begin, end;  // with the marker's two bytes
};

// Where things are, as far as the stream can be followed.
struct Anatomy {
  std::vector<Segment> segments;
  size_t scan = 0;  // first entropy-coded byte; 0: there is none
  size_t end = 0;   // of the entropy-coded data
  std::vector<size_t> restarts;

  explicit Anatomy(const Stream& stream) {
    size_t i = at(stream, 0) == 0xFF && at(stream, 1) == kSoi ? 2 : stream.size();
    while (i + 4 <= stream.size() && at(stream, i) == 0xFF && at(stream, i + 1) != kEoi) {
      const size_t length = static_cast<size_t>(at(stream, i + 2) << 8 | at(stream, i + 3));
      const Segment segment{at(stream, i + 1), i, i + 2 + length};
      if (segment.end > stream.size()) break;
      segments.push_back(segment);
      i = segment.end;
      if (segment.marker == kSos) break;
    }
    if (segments.empty() || segments.back().marker != kSos) return;
    scan = segments.back().end;
    for (end = scan; end + 1 < stream.size(); ++end) {
      if (at(stream, end) != 0xFF || at(stream, end + 1) == 0) continue;
      const int marker = at(stream, end + 1);
      if (marker < kRst0 || marker > kRst0 + 7) break;
      restarts.push_back(end);
    }
  }

  const Segment* any(Random& random, bool (*wanted)(int)) const {
    std::vector<const Segment*> found;
    for (const Segment& s : segments) {
      if (wanted(s.marker)) found.push_back(&s);
    }
    return found.empty() ? nullptr : found[random.index(found.size())];
  }
};

// Each kind of damage gives false where the stream has nothing of the kind.
using Damage = bool (*)(Stream&, const Anatomy&, Random&);

bool scan_bits(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.scan) return false;
  for (int n = random.between(1, 4); n > 0; --n) {
    const size_t i = anatomy.scan + random.index(anatomy.end - anatomy.scan);
    stream[i] ^= static_cast<std::byte>(1 << random.below(8));
  }
  return true;
}

bool scan_bytes(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.scan) return false;
  const size_t i = anatomy.scan + random.index(anatomy.end - anatomy.scan);
  switch (random.below(5)) {
    case 0:
      set(stream, i, random.byte());
      break;
    case 1:
      insert(stream, i, {random.byte()});
      break;
    case 2:
      erase(stream, i, i + static_cast<size_t>(random.between(1, 3)));
      break;
    case 3:
      insert(stream, i, {0xFF, 0x00});
      break;
    default:
      for (size_t n = random.index(60); n > 0; --n) set(stream, i + n, 0);
  }
  return true;
}

// What matters most to a decoder that must use up its data exactly.
bool scan_end(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.scan) return false;
  switch (random.below(6)) {
    case 0:
      erase(stream, anatomy.end - 1, anatomy.end);
      break;
    case 1:
      insert(stream, anatomy.end, {random.byte()});
      break;
    case 2:
      insert(stream, anatomy.end, {0xFF, 0x00});
      break;
    case 3:
      insert(stream, anatomy.end, {0xFF});
      break;
    case 4:
      set(stream, anatomy.end - 1, at(stream, anatomy.end - 1) ^ ((1 << random.below(8)) - 1));
      break;
    default:
      for (int n = random.between(1, 300); n > 0; --n) insert(stream, anatomy.end, {0});
  }
  return true;
}

bool restart_markers(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.scan == 0) return false;
  const size_t anywhere = anatomy.scan + random.index(anatomy.end - anatomy.scan + 1);
  if (anatomy.restarts.empty() || random.one_in(4)) {
    insert(stream, anywhere, {0xFF, kRst0 + random.below(8)});
    return true;
  }
  const size_t i = anatomy.restarts[random.index(anatomy.restarts.size())];
  switch (random.below(5)) {
    case 0:
      set(stream, i + 1, kRst0 + random.below(8));
      break;
    case 1:
      erase(stream, i, i + 2);
      break;
    case 2:
      insert(stream, i, {0xFF, at(stream, i + 1)});
      break;
    case 3:
      insert(stream, i, {random.byte()});
      break;
    default:
      for (int n = random.between(1, 3); n > 0; --n) insert(stream, i, {0xFF});
  }
  return true;
}

bool restart_interval(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* dri = anatomy.any(random, [](int marker) { return marker == kDri; });
  const int interval = random.one_in(8) ? random.below(65536) : random.below(21);
  if (dri != nullptr) {
    set(stream, dri->begin + 4, interval >> 8);
    set(stream, dri->begin + 5, interval);
    return true;
  }
  if (anatomy.segments.empty()) return false;
  insert(stream, anatomy.segments[random.index(anatomy.segments.size())].begin,
         {0xFF, kDri, 0, 4, interval >> 8, interval});
  return true;
}

bool frame(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* sof = anatomy.any(random, is_frame);
  if (sof == nullptr) return false;
  const size_t p = sof->begin;
  const size_t component = p + 10 + 3 * random.index(3);
  constexpr int kFactors[] = {0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x42, 0x31, 0x33, 0x44, 0x00, 0x10, 0x51};
  constexpr int kFrames[] = {0xC0, 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA};
  switch (random.below(8)) {
    case 0:
    case 1: {  // height or width, mostly by a little
      const size_t i = p + 5 + 2 * random.index(2);
      int side = at(stream, i) << 8 | at(stream, i + 1);
      side = random.one_in(8) ? random.below(700) : side + random.between(-20, 20);
      set(stream, i, side >> 8);
      set(stream, i + 1, side);
      break;
    }
    case 2:
    case 3:
      set(stream, component + 1, random.pick(kFactors));
      break;
    case 4:
      set(stream, component + 2, random.one_in(8) ? random.byte() : random.below(5));
      break;
    case 5:
      set(stream, component, random.one_in(2) ? at(stream, p + 10) : random.byte());
      break;
    case 6:
      set(stream, p + 1, random.pick(kFrames));
      break;
    default:
      set(stream, p + (random.one_in(2) ? 4u : 9u), random.below(13));  // precision, number of components
  }
  return true;
}

bool scan_header(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.scan == 0) return false;
  const Segment& sos = anatomy.segments.back();
  const size_t i = sos.begin + 4 + random.index(std::max<size_t>(sos.end - sos.begin - 4, 1));
  constexpr int kTables[] = {0x00, 0x11, 0x01, 0x10, 0x22, 0x33, 0x40, 0x04};
  constexpr int kValues[] = {0, 1, 2, 3, 5, 62, 63, 64};
  set(stream, i,
      random.one_in(2)   ? random.pick(kTables)
      : random.one_in(2) ? random.pick(kValues)
                         : random.byte());
  return true;
}

bool quantisation(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* dqt = anatomy.any(random, [](int marker) { return marker == kDqt; });
  if (dqt == nullptr || dqt->end < dqt->begin + 6) return false;
  if (random.one_in(8)) {
    set(stream, dqt->begin + 4, random.one_in(2) ? random.below(4) : random.byte());
    return true;
  }
  constexpr int kValues[] = {0, 1, 2, 16, 127, 128, 255};
  for (int n = random.between(1, 8); n > 0; --n) {
    const size_t i = dqt->begin + 5 + random.index(dqt->end - dqt->begin - 5);
    set(stream, i, random.one_in(2) ? random.pick(kValues) : random.byte());
  }
  return true;
}

bool huffman(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* dht = anatomy.any(random, [](int marker) { return marker == kDht; });
  if (dht == nullptr || dht->end < dht->begin + 22) return false;
  const size_t counts = dht->begin + 5, symbols = counts + 16;
  switch (random.below(5)) {
    case 0:
      set(stream, dht->begin + 4, random.one_in(2) ? random.below(2) << 4 | random.below(4) : random.byte());
      break;
    case 1: {  // a code of another length: as many symbols as before
      const size_t a = counts + random.index(16), b = counts + random.index(16);
      if (at(stream, a) <= 0 || at(stream, b) == 255) return false;
      set(stream, a, at(stream, a) - 1);
      set(stream, b, at(stream, b) + 1);
      break;
    }
    case 2:
      set(stream, counts + random.index(16), random.below(20));
      break;
    default:
      for (int n = random.between(1, 3); n > 0; --n) {
        const size_t i = symbols + random.index(dht->end - symbols);
        constexpr int kSymbols[] = {0x00, 0xF0, 0x10, 0x0A, 0x0B, 0x0F, 0x10, 0x1F, 0xE0, 0xFA, 0xFB};
        set(stream, i, random.one_in(2) ? random.pick(kSymbols) : random.byte());
      }
  }
  return true;
}

bool segments(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.segments.empty()) return false;
  const Segment& s = anatomy.segments[random.index(anatomy.segments.size())];
  const Stream copy(stream.begin() + static_cast<ptrdiff_t>(s.begin),
                    stream.begin() + static_cast<ptrdiff_t>(s.end));
  const size_t elsewhere = anatomy.segments[random.index(anatomy.segments.size())].begin;
  switch (random.below(6)) {
    case 0:
      erase(stream, s.begin, s.end);
      break;
    case 1:
      if (copy.size() < 600) {
        stream.insert(stream.begin() + static_cast<ptrdiff_t>(elsewhere), copy.begin(), copy.end());
      }
      break;
    case 2:  // the length
      set(stream, s.begin + 3, at(stream, s.begin + 3) + random.between(-3, 3));
      break;
    case 3:
      insert(stream, elsewhere, {0xFF, 0xE0 + random.below(16), 0, 4, random.byte(), random.byte()});
      break;
    case 4:  // a marker that does not belong here: DNL, DAC, RST, EOI, SOI, TEM, reserved ones
      insert(stream, elsewhere,
             {0xFF, random.one_in(2) ? random.between(0xC0, 0xFE) : random.between(0xD0, 0xDF)});
      break;
    default:
      insert(stream, elsewhere, {random.one_in(2) ? 0xFF : int{random.byte()}});
  }
  return true;
}

bool marker_in_scan(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.scan == 0) return false;
  const size_t i = anatomy.scan + random.index(anatomy.end - anatomy.scan + 1);
  switch (random.below(4)) {
    case 0:
      insert(stream, i, {0xFF, kEoi});
      break;
    case 1:
      insert(stream, i, {0xFF, 0xDC, 0, 4, 0, random.byte()});  // DNL
      break;
    case 2:
      insert(stream, i, {0xFF, 0xFE, 0, 3, 0});
      break;
    default:
      insert(stream, i, {0xFF, random.byte()});
  }
  return true;
}

bool length(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (stream.empty()) return false;
  switch (random.below(5)) {
    case 0:
      stream.resize(random.index(stream.size()));
      break;
    case 1:
      stream.resize(stream.size() - std::min<size_t>(stream.size(), 1 + random.index(4)));
      break;
    case 2:
      if (anatomy.scan == 0) return false;
      stream.resize(anatomy.scan + random.index(anatomy.end - anatomy.scan + 1));
      insert(stream, stream.size(), {0xFF, kEoi});
      break;
    case 3:
      for (int n = random.between(1, 40); n > 0; --n) insert(stream, stream.size(), {random.byte()});
      break;
    default:
      insert(stream, stream.size(), {0xFF, kSoi, 0xFF, kEoi});
  }
  return true;
}

bool any_byte(Stream& stream, const Anatomy&, Random& random) {
  if (stream.empty()) return false;
  const size_t i = random.index(stream.size());
  if (random.one_in(2)) {
    set(stream, i, random.byte());
  } else {
    insert(stream, i, {random.byte()});
  }
  return true;
}

constexpr Damage kDamages[] = {scan_bits,        scan_bits, scan_bytes,  scan_end,     restart_markers,
                               restart_interval, frame,     scan_header, quantisation, huffman,
                               huffman,          segments,  length,      any_byte,     marker_in_scan};

}  // namespace

void damage(std::vector<std::byte>& stream, Random& random) {
  const Anatomy anatomy(stream);
  for (int tries = 0; tries < 8; ++tries) {
    if (random.pick(kDamages)(stream, anatomy, random)) return;
  }
}

void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other, Random& random) {
  const Anatomy a(stream), b(other);
  if (a.scan == 0 || b.end <= b.scan) return;
  const size_t from = a.scan + random.index(a.end - a.scan + 1), with = b.scan + random.index(b.end - b.scan);
  stream.resize(from);
  stream.insert(stream.end(), other.begin() + static_cast<ptrdiff_t>(with), other.end());
}

}  // namespace microtome::jpeg::test
