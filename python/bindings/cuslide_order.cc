// The order in which cuCIM's cuslide plugin delivers shuffled patches, for the drop-in CuImage alone.
//
// That plugin calls std::shuffle with std::default_random_engine, which in libstdc++ is minstd_rand0. Both
// the engine's numbers and what std::shuffle makes of them are spelt out here, so that the order does not
// depend on the compiler's library: known orders are in tests/python/test_cuslide_order.py.
#include <numeric>
#include <random>

#include "bindings.h"

namespace microtome::python {
namespace {

using Engine = std::minstd_rand0;

// Uniform in [0, bound), as libstdc++ draws it from an engine of a smaller range than its own type: by
// scaling with rejection, and by composing two draws where the bound passes the engine's range.
uint64_t draw(Engine& engine, uint64_t bound) {
  constexpr uint64_t kRange = Engine::max() - Engine::min();  // largest number of one draw
  const uint64_t last = bound - 1;
  if (kRange > last) {
    const uint64_t scaling = kRange / bound, past = bound * scaling;
    uint64_t drawn = 0;
    do drawn = engine() - Engine::min();
    while (drawn >= past);
    return drawn / scaling;
  }
  if (kRange == last) return engine() - Engine::min();
  uint64_t value = 0, high = 0;
  do {
    high = (kRange + 1) * draw(engine, last / (kRange + 1) + 1);
    value = high + (engine() - Engine::min());
  } while (value > last || value < high);
  return value;
}

// Fisher-Yates from the front; where the engine's range allows, one draw serves two positions.
void shuffle(std::vector<int64_t>& values, Engine& engine) {
  const uint64_t count = values.size();
  if (count == 0) return;
  constexpr uint64_t kRange = Engine::max() - Engine::min();
  if (kRange / count < count) {
    for (uint64_t i = 1; i < count; ++i) std::swap(values[i], values[draw(engine, i + 1)]);
    return;
  }
  uint64_t i = 1;
  if (count % 2 == 0) {
    std::swap(values[i], values[draw(engine, 2)]);
    ++i;
  }
  while (i < count) {
    const uint64_t bound = i + 1;
    const uint64_t both = draw(engine, bound * (bound + 1));
    std::swap(values[i++], values[both / (bound + 1)]);
    std::swap(values[i++], values[both % (bound + 1)]);
  }
}

NumpyArray cuslide_permutation(size_t count, uint64_t seed) {
  std::vector<int64_t> positions(count);
  std::iota(positions.begin(), positions.end(), int64_t{0});
  Engine engine(seed);
  shuffle(positions, engine);
  return to_numpy(std::move(positions));
}

}  // namespace

void bind_cuslide_order(nb::module_& module) {
  module.def("cuslide_permutation", &cuslide_permutation, nb::arg("count"), nb::arg("seed"),
             "Positions 0 … count-1 in cuslide's shuffled order.");
}

}  // namespace microtome::python
