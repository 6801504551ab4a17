// Random batches of decoded tiles, and what the CPU path makes of them, for tests of the scatter kernel and
// of what launches it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "microtome/codec/for_test/random.h"
#include "microtome/read/gpu/scatter.h"

namespace microtome::gpu::test {

using microtome::test::Random;

/// A tile in a slab, and its pixels.
struct TestTile {
  SlabSlot slot;  ///< Addresses are offsets in the slab.
  uint16_t samples = 0;
  SampleType type = SampleType::u8;
  std::vector<std::byte> pixels;  ///< Interleaved, without gaps between rows.
  std::string description;
};

struct TestTiles {
  std::vector<std::byte> slab;
  std::vector<TestTile> tiles;
};

/// Up to `streams` random JPEG tiles, as our decoder's planes and as the JPEG codec's pixels; and for each
/// sample type a few tiles of random bytes.
TestTiles make_tiles(uint64_t seed, int streams);

/// A batch of tiles of one kind, whose patches are cut at random into parts of tiles and background.
struct TestBatch {
  struct Part {
    const TestTile* tile = nullptr;  ///< Null: background.
    Point src;
    uint32_t image = 0;
    Rect dst;
  };

  BatchShape shape;
  std::vector<std::byte> fill;
  std::vector<Affine> affine;
  std::vector<Part> parts;

  size_t bytes() const;
  /// What the CPU path gives: pixels of decoders, cropped; converted as Note [Numbers] in scatter_number.h
  /// says.
  std::vector<std::byte> expected() const;
  /// Lists all parts; the slab begins at `slab`.
  Status list(cuda::DeviceAddress slab, PieceList& to) const;
  /// Where `found` first differs from `expected`, NaNs being equal; else empty.
  std::string difference(const std::byte* found, const std::vector<std::byte>& expected) const;

 private:
  size_t output_bytes() const;
  void put(const std::byte* pixel, bool background, size_t sample, std::byte* to) const;
};

TestBatch random_batch(const TestTiles& tiles, Random& random);

/// binary16 by its definition, slowly.
double half_value(uint16_t half);
uint16_t nearest_half(double value);

}  // namespace microtome::gpu::test
