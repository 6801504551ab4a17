// microtome._core.DlpackArray: memory of somebody else's array, taken by DLPack, for as long as it is held.
//
// What is in the capsule is told as it is; microtome._target says what will do.
#include <utility>

#include "bindings.h"

namespace microtome::python {
namespace {

struct DlpackArray {
  nb::ndarray<> array;
};

template <class Side>
nb::tuple sides(const DlpackArray& self, const Side& side) {
  nb::list list;
  for (size_t i = 0; i < self.array.ndim(); ++i) list.append(side(i));
  return nb::tuple(list);
}

}  // namespace

void bind_dlpack_array(nb::module_& module) {
  nb::class_<DlpackArray>(module, "DlpackArray",
                          "An array that was taken by DLPack; dropping it gives it back.")
      .def(nb::new_([](nb::ndarray<> capsule) { return DlpackArray{std::move(capsule)}; }),
           nb::arg("capsule"))
      .def_prop_ro("address",
                   [](const DlpackArray& self) { return reinterpret_cast<uintptr_t>(self.array.data()); })
      .def_prop_ro(
          "shape",
          [](const DlpackArray& self) { return sides(self, [&](size_t i) { return self.array.shape(i); }); },
          nb::sig("def shape(self) -> tuple[int, ...]"))
      .def_prop_ro(
          "strides",
          [](const DlpackArray& self) { return sides(self, [&](size_t i) { return self.array.stride(i); }); },
          nb::sig("def strides(self) -> tuple[int, ...]"), "In elements.")
      .def_prop_ro(
          "dtype",
          [](const DlpackArray& self) {
            const nb::dlpack::dtype dtype = self.array.dtype();
            return nb::make_tuple(dtype.code, dtype.bits, dtype.lanes);
          },
          nb::sig("def dtype(self) -> tuple[int, int, int]"), "DLPack's code, bits and lanes.");
}

}  // namespace microtome::python
