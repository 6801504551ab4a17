// What needs no slide: versions, and the names of numbers.
#include <iterator>

#include "microtome/c_api/handles.h"

namespace microtome::c_api {
namespace {

// By microtome_sample, whose order is stable whatever the core's is.
constexpr SampleType kSamples[] = {
    SampleType::u8,  SampleType::u16, SampleType::u32, SampleType::u64, SampleType::i8,  SampleType::i16,
    SampleType::i32, SampleType::i64, SampleType::f16, SampleType::f32, SampleType::f64,
};

bool is_sample(int32_t sample) noexcept {
  return sample >= 0 && sample < static_cast<int32_t>(std::size(kSamples));
}

}  // namespace

int32_t to_sample(SampleType type) noexcept {
  int32_t sample = 0;
  while (kSamples[sample] != type) ++sample;
  return sample;
}

}  // namespace microtome::c_api

using namespace microtome;
using namespace microtome::c_api;

int32_t microtome_abi_version(void) {
  return MICROTOME_ABI_VERSION;
}

const char* microtome_version(void) {
  return MICROTOME_VERSION;
}

const char* microtome_status_name(int32_t status) {
  switch (status) {
    case MICROTOME_OK:
      return "ok";
    case MICROTOME_NOT_FOUND:
      return "not found";
    case MICROTOME_IO:
      return "io";
    case MICROTOME_CORRUPT:
      return "corrupt";
    case MICROTOME_UNSUPPORTED:
      return "unsupported";
    case MICROTOME_OUT_OF_RANGE:
      return "out of range";
    case MICROTOME_INVALID_ARGUMENT:
      return "invalid argument";
    case MICROTOME_OUT_OF_MEMORY:
      return "out of memory";
    case MICROTOME_UNAVAILABLE:
      return "unavailable";
    case MICROTOME_CANCELLED:
      return "cancelled";
    case MICROTOME_INTERNAL:
      return "internal";
    default:
      return "unknown";
  }
}

int32_t microtome_sample_bytes(int32_t sample) {
  return is_sample(sample) ? static_cast<int32_t>(sample_bytes(kSamples[sample])) : 0;
}

// The core's names are literals, which end in NUL.
const char* microtome_sample_name(int32_t sample) {
  return is_sample(sample) ? sample_name(kSamples[sample]).data() : nullptr;
}
