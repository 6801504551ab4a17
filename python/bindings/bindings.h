// What the bindings share: results to exceptions, the GIL, arrays, and one function per file that binds its
// types.
//
// The bindings convert, release the GIL, call, convert; arguments are checked and explained in the Python
// package above, which is the only caller. Functions here want the GIL held unless they say otherwise.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/device/buffer.h"
#include "microtome/read/batch_read.h"
#include "microtome/slide/slide.h"

namespace microtome::python {

namespace nb = nanobind;

/// The one place where the GIL is released: runs `work`, which must not touch Python objects, without it.
template <class Work>
auto without_gil(Work&& work) {
  const nb::gil_scoped_release released;
  return std::forward<Work>(work)();
}

/// Throws `error` as the Python exception for its code.
[[noreturn]] void raise(const Error& error);

/// The value of a result, or its error raised.
template <class T>
T take(Result<T> result) {
  if (!result.ok()) raise(result.error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Text as Python has it; bytes that are not UTF-8 (in file names) show as \xNN.
nb::str to_str(std::string_view text);

using NumpyArray = nb::ndarray<nb::numpy>;
using Int64Array = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using PointArray = nb::ndarray<const int64_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

/// An array over a tensor's memory; the array keeps the buffer, and nothing else, alive.
NumpyArray to_numpy(const Tensor& tensor);

/// An array that owns `values`.
NumpyArray to_numpy(std::vector<int64_t> values);

/// The dtype as DLPack has it.
nb::dlpack::dtype dlpack_dtype(SampleType type) noexcept;

/// A caller's array of `size.h` rows as a view. Errors: invalid_argument when its shape, dtype or strides
/// differ from what such an image needs.
Result<ImageView> to_view(const nb::ndarray<nb::device::cpu>& array, Size size, uint16_t samples,
                          SampleType type);

/// A slide as Python holds it.
struct SlideHandle {
  std::shared_ptr<const Slide> slide;
};

OnError on_error(bool fill) noexcept;

/// [(region, message), …]
nb::list to_list(const std::vector<RegionError>& errors);

void bind_cache(nb::module_& module);
void bind_cuda(nb::module_& module);
void bind_device_pass(nb::module_& module);
void bind_dlpack_array(nb::module_& module);
void bind_cuslide_order(nb::module_& module);
void bind_loader(nb::module_& module);
void bind_runtime(nb::module_& module);
void bind_slide(nb::module_& module);
void bind_source(nb::module_& module);

}  // namespace microtome::python
