// NumPy arrays over buffers of the pool, and callers' arrays as views, both without copies.
//
// Note [Who owns an array's memory]
// A capsule holds a share of the buffer and is the array's base. When the last array over it is gone the
// buffer returns to its pool, whether the loader, the slide or the batch still lives or not. The deleter may
// run in any thread that drops the array.
#include <fmt/format.h>

#include "bindings.h"
#include "microtome/base/fail.h"

namespace microtome::python {
nb::dlpack::dtype dlpack_dtype(SampleType type) noexcept {
  using Code = nb::dlpack::dtype_code;
  Code code = Code::UInt;
  switch (type) {
    case SampleType::u8:
    case SampleType::u16:
    case SampleType::u32:
    case SampleType::u64:
      break;
    case SampleType::i8:
    case SampleType::i16:
    case SampleType::i32:
    case SampleType::i64:
      code = Code::Int;
      break;
    case SampleType::f16:
    case SampleType::f32:
    case SampleType::f64:
      code = Code::Float;
      break;
  }
  return {static_cast<uint8_t>(code), static_cast<uint8_t>(8 * sample_bytes(type)), 1};
}

namespace {

template <class T>
nb::capsule keep(std::unique_ptr<T> owner) {
  nb::capsule capsule(owner.get(), [](void* pointer) noexcept { delete static_cast<T*>(pointer); });
  owner.release();
  return capsule;
}

}  // namespace

NumpyArray to_numpy(const Tensor& tensor) {
  std::byte* const data = tensor.data();
  const nb::capsule owner = keep(std::make_unique<std::shared_ptr<Buffer>>(tensor.buffer));
  const std::vector<size_t> shape(tensor.shape.begin(), tensor.shape.end());
  return {data, shape.size(), shape.data(), owner, nullptr, dlpack_dtype(tensor.type)};
}

NumpyArray to_numpy(std::vector<int64_t> values) {
  auto kept = std::make_unique<std::vector<int64_t>>(std::move(values));
  int64_t* const data = kept->data();
  const size_t shape[] = {kept->size()};
  const nb::capsule owner = keep(std::move(kept));
  return {data, 1, shape, owner, nullptr, nb::dtype<int64_t>()};
}

Result<ImageView> to_view(const nb::ndarray<nb::device::cpu>& array, Size size, uint16_t samples,
                          SampleType type) {
  const auto item_bytes = static_cast<int64_t>(sample_bytes(type));
  if (array.dtype() != dlpack_dtype(type))
    return invalid_argument("out: its dtype is not {}", sample_name(type));
  if (array.ndim() != 3 || static_cast<int64_t>(array.shape(0)) != size.h ||
      static_cast<int64_t>(array.shape(1)) != size.w || array.shape(2) != samples)
    return invalid_argument("out: its shape is not ({}, {}, {})", size.h, size.w, samples);
  // A stride along an axis of length one says nothing.
  const bool packed = (samples == 1 || array.stride(2) == 1) && (size.w == 1 || array.stride(1) == samples);
  const int64_t row_elements = size.h == 1 ? size.w * samples : array.stride(0);
  if (!packed || row_elements < size.w * samples) return invalid_argument("out: its rows are not contiguous");
  return ImageView{static_cast<std::byte*>(array.data()), size, row_elements * item_bytes, samples, type};
}

}  // namespace microtome::python
