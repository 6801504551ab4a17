// Random numbers that are the same everywhere for one seed: the standard's distributions are not. For tests
// only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace microtome::test {

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }

  /// 0 .. n - 1; `n` is 1 to 2^32.
  int below(int64_t n) { return static_cast<int>((next() >> 32) * static_cast<uint64_t>(n) >> 32); }
  size_t index(size_t n) { return static_cast<size_t>(below(static_cast<int64_t>(n))); }
  /// Both ends included.
  int between(int low, int high) { return low + below(int64_t{high} - low + 1); }
  bool one_in(int n) { return below(n) == 0; }
  uint8_t byte() { return static_cast<uint8_t>(next() >> 56); }

  template <class T, size_t N>
  const T& pick(const T (&values)[N]) {
    return values[index(N)];
  }

 private:
  uint64_t state_;
};

}  // namespace microtome::test
