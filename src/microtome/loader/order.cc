#include "microtome/loader/order.h"

#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {
namespace {

// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014): a counter
// stepped by the golden ratio, and a mix of 64 bits to 64. Defined by integers alone, unlike the standard
// library's shuffle and distributions, whose results differ between libraries.
constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

uint64_t mix(uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

class Random {
 public:
  /// Neighbouring seeds and epochs begin at unrelated places of the sequence.
  Random(uint64_t seed, uint64_t epoch) noexcept : state_(mix(mix(seed + kStep) + epoch + kStep)) {}

  uint64_t next() noexcept { return mix(state_ += kStep); }

  /// Uniform in [0, bound), without bias (Lemire: Fast Random Integer Generation in an Interval, 2019).
  uint64_t below(uint64_t bound) noexcept {
    const uint64_t unfair = (0 - bound) % bound;  // 2^64 mod bound
    for (;;) {
      const auto product = static_cast<unsigned __int128>(next()) * bound;
      if (static_cast<uint64_t>(product) >= unfair) return static_cast<uint64_t>(product >> 64);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace

Result<std::vector<int64_t>> make_order(int64_t count, const OrderOptions& options) {
  if (count < 0) return invalid_argument("an order of {} patches, expected 0 or more", count);
  if (options.world_size < 1)
    return invalid_argument("world_size is {}, expected at least 1", options.world_size);
  if (options.rank < 0 || options.rank >= options.world_size)
    return invalid_argument("rank is {}, expected 0 to {} in a world of {}", options.rank,
                            options.world_size - 1, options.world_size);
  std::vector<int64_t> all(static_cast<size_t>(count));
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  if (options.shuffle) {
    Random random(options.seed, options.epoch);
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
  }
  if (options.world_size == 1) return all;
  std::vector<int64_t> mine;
  if (options.rank >= count) return mine;
  mine.reserve(static_cast<size_t>(ceil_div(count - options.rank, options.world_size)));
  for (int64_t i = options.rank;;) {
    mine.push_back(all[static_cast<size_t>(i)]);
    if (count - i <= options.world_size) return mine;
    i += options.world_size;
  }
}

}  // namespace microtome
