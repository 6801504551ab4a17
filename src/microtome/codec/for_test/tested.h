// A codec whose own decoder is held to a library's: what tests, fuzzers and proofs need to know of it, so
// that there is one of each for all such codecs. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/for_test/random.h"

namespace microtome::test {

struct NamedSubject {
  std::string name;  ///< "codec", as readers have it; or the instruction set of our own decoder alone.
  Subject subject;
};

/// The codec, whose errors begin with `prefix`, as the library's do not; and what `own` makes for each
/// instruction set of this machine.
std::vector<NamedSubject> codec_and_own(Compression compression, std::string_view prefix,
                                        Subject (*own)(std::string_view target));

struct RandomTile {
  TileFormat format;
  std::vector<std::byte> packed;
  std::string description;
  int tolerance = 0;  ///< How far a sample may be from the library's.
};

class TestedCodec {
 public:
  virtual ~TestedCodec() = default;

  virtual std::string_view name() const = 0;     ///< That of its folder.
  virtual std::string_view library() const = 0;  ///< "libjpeg-turbo".

  /// The judge. It, and each of subjects(), is made anew by each call; one meets many tiles, as in a reader.
  virtual Subject judge() const = 0;
  virtual std::vector<NamedSubject> subjects() const = 0;

  /// How far samples of tiles that nobody knows anything of may be from the library's.
  virtual int tolerance(const TileFormat& format) const = 0;
  virtual int most_reduced() const = 0;  ///< How often tiles can be halved.

  /// The tile of a seed, of 1 to `max_side` pixels a side, or of as many as are usual for this codec.
  virtual RandomTile random_tile(uint64_t seed, int max_side) const = 0;
  virtual int usual_side() const = 0;

  /// Changes a stream, or a tile's tables, in one random way that knows its structure.
  virtual void damage(std::vector<std::byte>& stream, Random& random) const = 0;
  /// Puts something of `other` into `stream`.
  virtual void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other,
                      Random& random) const = 0;

  /// Formats that the codec does not refuse without looking at a tile.
  virtual bool looks_at(const TileFormat& format) const = 0;
  /// What streams in any file begin with, and the format that such a stream claims; a guess where it claims
  /// none.
  virtual std::span<const std::byte> beginning() const = 0;
  virtual TileFormat claimed_format(std::span<const std::byte> stream) const = 0;

  /// Formats of fuzz inputs: of four bits, which mean what the codec likes. format_of() borrows `tables`.
  virtual TileFormat format_of(uint8_t bits, Size size, std::span<const std::byte> tables) const = 0;
  virtual uint8_t bits_of(const TileFormat& format) const = 0;
};

}  // namespace microtome::test
