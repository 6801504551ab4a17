// What the passes over patches share, onto the host (loader.cc) and onto a device (device_pass.cc).
//
// Call with the GIL held.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bindings.h"
#include "microtome/loader/loader.h"

namespace microtome::python {

struct Patches {
  std::vector<std::shared_ptr<const Slide>> slides;
  std::vector<uint16_t> levels;  // which one is read, for each slide
  std::shared_ptr<const std::vector<Patch>> list;
};

struct Meter {
  std::shared_ptr<const LoaderMeter> meter;

  /// In the order of microtome.LoaderStats.
  nb::tuple stats() const;
};

/// Errors: those of make_fill().
Result<LoaderOptions> pass_options(const Patches& patches, std::pair<int64_t, int64_t> size,
                                   int64_t batch_size, bool drop_last, int64_t prefetch, int threads,
                                   bool fill_broken, const std::vector<double>& fill);

}  // namespace microtome::python
