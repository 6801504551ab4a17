// What the C API's pointers point to, and how its functions are wrapped.
//
// Shared by the .cc files of this folder alone. The functions check pointers and options, convert, call,
// convert: no logic of their own, as in the Python bindings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/loader/loader.h"
#include "microtome/microtome.h"
#include "microtome/slide/slide.h"

struct microtome_slide {
  std::shared_ptr<const microtome::Slide> slide;
  std::vector<std::pair<const char*, const char*>> properties;  // the slide's own strings, by name
};

struct microtome_loader {
  std::unique_ptr<microtome::Loader> loader;
};

struct microtome_batch {
  microtome::Batch batch;
};

namespace microtome::c_api {

/// Writes `status` as the caller sees it to `error`, which may be null, and gives its number.
microtome_status report(const Status& status, microtome_error* error) noexcept;

/// The same of what was thrown, without an allocation.
microtome_status report(Errc code, std::string_view message, microtome_error* error) noexcept;

/// Runs `work`, which returns a Status, and turns what comes of it into what C sees.
///
/// Note [Nothing crosses]
/// The core throws std::bad_alloc alone, and C can catch nothing: every function that can fail is a guard
/// around its work.
template <class Work>
microtome_status guard(microtome_error* error, Work&& work) noexcept {
  try {
    return report(std::forward<Work>(work)(), error);
  } catch (const std::bad_alloc&) {
    return report(Errc::out_of_memory, "no memory left", error);
  } catch (const std::exception& thrown) {
    return report(Errc::internal, thrown.what(), error);
  } catch (...) {
    return report(Errc::internal, "an exception of an unknown kind", error);
  }
}

/// A microtome_sample.
int32_t to_sample(SampleType type) noexcept;

}  // namespace microtome::c_api
