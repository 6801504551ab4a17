// The process's tile cache and pool of pixel memory, as microtome.cache shows them.
#include <nanobind/stl/optional.h>

#include "bindings.h"
#include "microtome/runtime/runtime.h"

namespace microtome::python {
namespace {

void configure(std::optional<size_t> capacity_bytes, std::optional<size_t> pool_bytes) {
  Runtime& shared = runtime();
  without_gil([&] {
    if (capacity_bytes) shared.cache->set_capacity(*capacity_bytes);
    if (pool_bytes) shared.buffers->set_capacity(*pool_bytes);
  });
}

nb::dict info() {
  const TileCache::Info tiles = runtime().cache->info();
  const BufferPool::Info pool = runtime().buffers->info();
  nb::dict dict;
  dict["hits"] = tiles.hits;
  dict["misses"] = tiles.misses;
  dict["evictions"] = tiles.evictions;
  dict["bytes"] = tiles.bytes;
  dict["capacity_bytes"] = tiles.capacity_bytes;
  dict["tiles"] = tiles.tiles;
  dict["pool_capacity_bytes"] = pool.capacity_bytes;
  dict["pool_idle_bytes"] = pool.idle_bytes;
  dict["pool_reused"] = pool.reused;
  dict["pool_fresh"] = pool.fresh;
  return dict;
}

void clear() {
  Runtime& shared = runtime();
  without_gil([&] {
    shared.cache->clear();
    shared.buffers->clear();
  });
}

void reset_counters() {
  runtime().cache->reset_counters();
}

}  // namespace

void bind_cache(nb::module_& module) {
  module.def("cache_configure", &configure, nb::arg("capacity_bytes").none(), nb::arg("pool_bytes").none(),
             "Sets what is not None.");
  module.def("cache_info", &info, "Numbers of the tile cache and of the pool.");
  module.def("cache_clear", &clear, "Drops cached tiles and idle memory; counters stay.");
  module.def("cache_reset_counters", &reset_counters, "Sets hits, misses and evictions to 0.");
}

}  // namespace microtome::python
