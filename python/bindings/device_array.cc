// microtome._core.DeviceArray: memory of a GPU, for whoever takes it by DLPack or by the array interface.
//
// Note [Data is complete]
// What the bindings hand out was seen done by the host, so that no stream has to wait for it: of the stream
// that a consumer names only the end of its use matters (device/cuda/pool.h, Note [Which streams a consumer
// uses]).
//
// Source: DLPack 1.0 (dlpack.h); Python array API standard, __dlpack__; CUDA Array Interface, version 3.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>

#include "bindings.h"
#include "cuda.h"
#include "microtome/base/fail.h"
#include "microtome/runtime/runtime.h"

namespace microtome::python {
namespace {

constexpr int32_t kDlCuda = 2;

// DLManagedTensor and DLManagedTensorVersioned.
struct Managed {
  nb::dlpack::dltensor tensor;
  void* owner;
  void (*deleter)(Managed*);
};
struct ManagedVersioned {
  uint32_t major, minor;
  void* owner;
  void (*deleter)(ManagedVersioned*);
  uint64_t flags;
  nb::dlpack::dltensor tensor;
};

/// What a capsule keeps: the tensor's description, and a share of its memory. Deleted by the consumer, on any
/// thread, with or without the GIL.
template <class M>
struct Exported {
  M managed{};
  std::shared_ptr<cuda::DeviceBlock> block;
  std::vector<int64_t> shape, strides;

  static constexpr bool kVersioned = std::is_same_v<M, ManagedVersioned>;
  static constexpr const char* kName = kVersioned ? "dltensor_versioned" : "dltensor";

  static void destroy(M* managed) { delete static_cast<Exported*>(managed->owner); }
  static void drop(PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kName)) return;  // taken: the consumer deletes it
    destroy(static_cast<M*>(PyCapsule_GetPointer(capsule, kName)));
  }
};

uint64_t address_of(const DeviceArray& self) noexcept {
  return self.tensor.block->address() + self.offset_bytes;
}

template <class M>
nb::object export_as(const DeviceArray& self) {
  auto exported = std::make_unique<Exported<M>>();
  exported->block = self.tensor.block;
  exported->shape = self.tensor.shape;
  exported->strides.assign(exported->shape.size(), 1);
  for (size_t i = exported->shape.size(); i-- > 1;)
    exported->strides[i - 1] = exported->strides[i] * exported->shape[i];
  nb::dlpack::dltensor& tensor = exported->managed.tensor;
  tensor.data = reinterpret_cast<void*>(address_of(self));
  tensor.device = {kDlCuda, self.tensor.block->device().ordinal()};
  tensor.ndim = static_cast<int32_t>(exported->shape.size());
  tensor.dtype = dlpack_dtype(self.tensor.type);
  tensor.shape = exported->shape.data();
  tensor.strides = exported->strides.data();
  tensor.byte_offset = 0;
  if constexpr (Exported<M>::kVersioned) exported->managed.major = 1;
  exported->managed.owner = exported.get();
  exported->managed.deleter = Exported<M>::destroy;
  PyObject* capsule = PyCapsule_New(&exported->managed, Exported<M>::kName, Exported<M>::drop);
  if (!capsule) nb::raise_python_error();
  exported.release();
  return nb::steal(capsule);
}

nb::object to_dlpack(const DeviceArray& self, std::optional<uint64_t> stream, bool versioned) {
  self.tensor.block->used_on(stream ? cuda::ForeignStream{static_cast<uintptr_t>(*stream)} : self.consumer);
  return versioned ? export_as<ManagedVersioned>(self) : export_as<Managed>(self);
}

uint64_t to_address(const DeviceArray& self) {
  self.tensor.block->used_on(self.consumer);
  return address_of(self);
}

nb::tuple shape_of(const DeviceArray& self) {
  nb::list shape;
  for (const int64_t side : self.tensor.shape) shape.append(side);
  return nb::tuple(shape);
}

size_t bytes_of(const DeviceArray& self) noexcept {
  size_t bytes = sample_bytes(self.tensor.type);
  for (const int64_t side : self.tensor.shape) bytes *= static_cast<size_t>(side);
  return bytes;
}

/// Row `number` along the first axis; it exists.
DeviceArray row_of(const DeviceArray& self, int64_t number) {
  DeviceArray row = self;
  const auto rows = static_cast<size_t>(row.tensor.shape.front());
  row.offset_bytes += bytes_of(self) / rows * static_cast<size_t>(number);
  row.tensor.shape.erase(row.tensor.shape.begin());
  return row;
}

Result<Tensor> copy_to_host(const DeviceArray& self, BufferPool& buffers) {
  const cuda::Device& device = self.tensor.block->device();
  MICROTOME_ASSIGN(Tensor host, make_tensor(buffers, self.tensor.shape, self.tensor.type));
  MICROTOME_ASSIGN(const cuda::Stream stream, device.make_stream());
  MICROTOME_TRY(device.copy_to_host(host.data(), address_of(self), bytes_of(self), stream));
  MICROTOME_TRY(device.synchronize(stream));
  return host;
}

NumpyArray to_host(const DeviceArray& self) {
  BufferPool& buffers = *runtime().buffers;
  return to_numpy(take(without_gil([&] { return copy_to_host(self, buffers); })));
}

}  // namespace

void bind_device_array(nb::module_& module) {
  nb::class_<DeviceArray>(module, "DeviceArray", "Memory of a GPU. microtome.DeviceArray explains.")
      .def_prop_ro("shape", &shape_of, nb::sig("def shape(self) -> tuple[int, ...]"))
      .def_prop_ro("dtype", [](const DeviceArray& self) { return to_str(sample_name(self.tensor.type)); })
      .def_prop_ro("ordinal", [](const DeviceArray& self) { return self.tensor.block->device().ordinal(); })
      .def("dlpack", &to_dlpack, nb::arg("stream").none(), nb::arg("versioned"),
           "A capsule; `stream` is the consumer's, or None.")
      .def("address", &to_address, "For the array interface: the consumer's stream is not known.")
      .def("row", &row_of, nb::arg("number"))
      .def("to_host", &to_host, nb::sig("def to_host(self) -> numpy.ndarray"), "A copy.");
}

}  // namespace microtome::python
