#include "microtome/codec/jpeg2000/for_test/damage.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace microtome::jpeg2000::test {
namespace {

using Stream = std::vector<std::byte>;

constexpr unsigned kSod = 0x93, kSot = 0x90;

unsigned at(const Stream& stream, size_t i) {
  return i < stream.size() ? std::to_integer<unsigned>(stream[i]) : 0;
}
auto iterator(Stream& stream, size_t i) {
  return stream.begin() + static_cast<ptrdiff_t>(std::min(i, stream.size()));
}
void insert(Stream& stream, size_t i, const Stream& bytes) {
  stream.insert(iterator(stream, i), bytes.begin(), bytes.end());
}
void erase(Stream& stream, size_t from, size_t to) {
  if (from < to) stream.erase(iterator(stream, from), iterator(stream, to));
}

// A marker segment with its two bytes of marker; SOD has nothing else.
struct Segment {
  unsigned code;
  size_t begin, end;
};

// Where things are, as far as the stream can be followed, and one tile part of it: any.
struct Anatomy {
  std::vector<Segment> segments;
  size_t sot, packets, end;  ///< Of the part.

  Anatomy(const Stream& stream, Random& random) : sot(0), packets(stream.size()), end(stream.size()) {
    int parts = 0;
    size_t part_begin = 0, part_end = stream.size();
    for (size_t i = 2; i + 4 <= stream.size() && at(stream, i) == 0xFF;) {
      const unsigned code = at(stream, i + 1);
      if (code == kSod) {
        if (random.one_in(++parts)) {
          sot = part_begin;
          packets = i + 2;
          end = std::max(part_end, packets);
        }
        i = std::max(part_end, i + 2);
        continue;
      }
      const size_t length = at(stream, i + 2) << 8 | at(stream, i + 3);
      const Segment segment{code, i, i + 2 + length};
      if (segment.end > stream.size()) break;
      segments.push_back(segment);
      if (code == kSot) {
        const size_t part = size_t{at(stream, i + 6)} << 24 | at(stream, i + 7) << 16 |
                            at(stream, i + 8) << 8 | at(stream, i + 9);
        part_begin = i;
        part_end = part != 0 && part <= stream.size() - i ? i + part : stream.size();
      }
      i = segment.end;
    }
  }

  const Segment* any(Random& random) const {
    return segments.empty() ? nullptr : &segments[random.index(segments.size())];
  }
};

// Psot again, where a change has moved the end of the part by `moved` bytes.
void mend_length(Stream& stream, const Anatomy& anatomy, ptrdiff_t moved) {
  if (anatomy.sot == 0 || anatomy.sot + 10 > stream.size()) return;
  const auto length = static_cast<uint32_t>(static_cast<ptrdiff_t>(anatomy.end - anatomy.sot) + moved);
  for (size_t i = 0; i < 4; ++i) stream[anatomy.sot + 6 + i] = static_cast<std::byte>(length >> (24 - 8 * i));
}

// Each kind of damage gives false where the stream has nothing of the kind.
using Damage = bool (*)(Stream&, const Anatomy&, Random&);

bool packet_bits(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.packets) return false;
  for (int n = random.between(1, 4); n > 0; --n) {
    const size_t i = anatomy.packets + random.index(anatomy.end - anatomy.packets);
    stream[i] ^= static_cast<std::byte>(1 << random.below(8));
  }
  return true;
}

// The first packets have most of the headers.
bool packet_start(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.packets) return false;
  const size_t i = anatomy.packets + random.index(std::min<size_t>(anatomy.end - anatomy.packets, 12));
  stream[i] ^= static_cast<std::byte>(1 << random.below(8));
  return true;
}

bool packet_bytes(Stream& stream, const Anatomy& anatomy, Random& random) {
  if (anatomy.end <= anatomy.packets) return false;
  const size_t i = anatomy.packets + random.index(anatomy.end - anatomy.packets);
  const size_t before = stream.size();
  switch (random.below(4)) {
    case 0:
      stream[i] = std::byte{0xFF};
      break;
    case 1:
      insert(stream, i, {static_cast<std::byte>(random.byte())});
      break;
    case 2:
      erase(stream, i, std::min(anatomy.end, i + static_cast<size_t>(random.between(1, 5))));
      break;
    default:
      for (size_t n = random.index(20); n > 0 && i + n < stream.size(); --n) stream[i + n] = std::byte{0};
  }
  if (random.one_in(2)) {
    mend_length(stream, anatomy, static_cast<ptrdiff_t>(stream.size()) - static_cast<ptrdiff_t>(before));
  }
  return true;
}

bool field(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* const segment = anatomy.any(random);
  if (segment == nullptr || segment->end - segment->begin < 5) return false;
  const size_t i = segment->begin + 2 + random.index(segment->end - segment->begin - 2);
  if (random.one_in(3)) {
    stream[i] = static_cast<std::byte>(random.byte());
  } else if (random.one_in(2)) {
    stream[i] ^= static_cast<std::byte>(1 << random.below(8));
  } else {
    stream[i] = static_cast<std::byte>(at(stream, i) + static_cast<unsigned>(random.between(-1, 1)));
  }
  return true;
}

bool segments(Stream& stream, const Anatomy& anatomy, Random& random) {
  const Segment* const segment = anatomy.any(random);
  if (segment == nullptr) return false;
  const Stream copy(iterator(stream, segment->begin), iterator(stream, segment->end));
  switch (random.below(4)) {
    case 0:
      erase(stream, segment->begin, segment->end);
      return true;
    case 1:
      insert(stream, segment->end, copy);
      return true;
    case 2: {
      const Segment* const other = anatomy.any(random);
      insert(stream, other->begin, copy);
      return true;
    }
    default:
      stream[segment->begin + 1] =
          static_cast<std::byte>(random.one_in(2) ? random.byte() : 0x50 + random.below(20));
      return true;
  }
}

// A segment of its length that readers take, of one component: RGN, POC, or COC with what any COD might say.
bool changes_one_component(Stream& stream, const Segment& behind, Random& random) {
  const auto byte = [&random](int most) { return static_cast<std::byte>(random.between(0, most)); };
  Stream body;
  uint8_t code = 0;
  switch (random.below(3)) {
    case 0:
      code = 0x5E;
      body = {byte(3), std::byte{0}, byte(12)};
      break;
    case 1:
      code = 0x5F;
      for (int n = random.between(1, 3); n > 0; --n) {
        body.insert(body.end(), {byte(2), byte(1), std::byte{0}, byte(3), byte(7), byte(4), byte(4)});
      }
      break;
    default:
      code = 0x53;
      body = {byte(3), std::byte{0}, byte(6), byte(4), byte(4), byte(63), byte(1)};
  }
  Stream made{std::byte{0xFF}, static_cast<std::byte>(code), std::byte{0},
              static_cast<std::byte>(2 + body.size())};
  made.insert(made.end(), body.begin(), body.end());
  insert(stream, behind.end, made);
  return true;
}

bool made_up(Stream& stream, const Anatomy& anatomy, Random& random) {
  constexpr uint8_t kCodes[] = {0x53, 0x55, 0x57, 0x58, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x61, 0x63, 0x64, 0x30};
  const Segment* const segment = anatomy.any(random);
  if (segment == nullptr) return false;
  if (random.one_in(3)) return changes_one_component(stream, *segment, random);
  const size_t size = random.index(16);
  Stream made{std::byte{0xFF}, static_cast<std::byte>(random.pick(kCodes)), std::byte{0},
              static_cast<std::byte>(2 + size)};
  for (size_t i = 0; i < size; ++i) made.push_back(static_cast<std::byte>(random.byte()));
  insert(stream, segment->end, made);
  return true;
}

bool ends(Stream& stream, const Anatomy& anatomy, Random& random) {
  switch (random.below(5)) {
    case 0:
      stream.resize(random.index(stream.size() + 1));
      return true;
    case 1:
      stream.resize(stream.size() - std::min<size_t>(stream.size(), 1 + random.index(6)));
      return true;
    case 2:
      for (int n = random.between(1, 6); n > 0; --n) stream.push_back(static_cast<std::byte>(random.byte()));
      return true;
    case 3: {  // bytes that no packet needs
      const size_t n = 1 + random.index(4);
      insert(stream, anatomy.end, Stream(n, static_cast<std::byte>(random.byte())));
      mend_length(stream, anatomy, static_cast<ptrdiff_t>(n));
      return true;
    }
    default: {  // the last packet's end
      const size_t n = std::min(anatomy.end - anatomy.packets, 1 + random.index(4));
      erase(stream, anatomy.end - n, anatomy.end);
      mend_length(stream, anatomy, -static_cast<ptrdiff_t>(n));
      return true;
    }
  }
}

}  // namespace

void damage(Stream& stream, Random& random) {
  constexpr Damage kKinds[] = {packet_bits, packet_bits, packet_start, packet_bytes, field,
                               field,       segments,    made_up,      ends};
  const Anatomy anatomy(stream, random);
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (random.pick(kKinds)(stream, anatomy, random)) return;
  }
}

void splice(Stream& stream, const Stream& other, Random& random) {
  const Anatomy here(stream, random), there(other, random);
  const Segment* const from = there.any(random);
  const Segment* const to = here.any(random);
  if (from != nullptr && to != nullptr && random.one_in(2)) {
    Stream copy(other.begin() + static_cast<ptrdiff_t>(from->begin),
                other.begin() + static_cast<ptrdiff_t>(from->end));
    if (random.one_in(2)) erase(stream, to->begin, to->end);
    insert(stream, to->begin, copy);
    return;
  }
  const Stream packets(other.begin() + static_cast<ptrdiff_t>(there.packets),
                       other.begin() + static_cast<ptrdiff_t>(there.end));
  erase(stream, here.packets, here.end);
  insert(stream, here.packets, packets);
  mend_length(stream, here,
              static_cast<ptrdiff_t>(packets.size()) - static_cast<ptrdiff_t>(here.end - here.packets));
}

}  // namespace microtome::jpeg2000::test
