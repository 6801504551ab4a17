#include "microtome/c_api/options.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "microtome/base/fail.h"
#include "microtome/exec/executor.h"
#include "microtome/microtome.h"
#include "microtome/read/reader.h"

namespace microtome::c_api {
namespace {

using Clock = std::chrono::steady_clock;

int usable_cpus() {
  // The second that the answer is of, and the answer, in one word: threads may ask at once.
  static std::atomic<int64_t> known{0};
  constexpr int64_t kBits = 16;
  static_assert(Executor::kMaxThreads < (1 << kBits));
  const int64_t second =
      1 + std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
  int64_t answer = known.load(std::memory_order_relaxed);
  if (answer >> kBits != second) {
    answer = (second << kBits) | std::min(available_cpus(), Executor::kMaxThreads);
    known.store(answer, std::memory_order_relaxed);
  }
  return static_cast<int>(answer & ((1 << kBits) - 1));
}

}  // namespace

Status check_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) return invalid_argument("{} is NULL", name);
  return ok_status();
}

Status check_reserved(const int64_t (&reserved)[4]) {
  for (const int64_t value : reserved)
    if (value != 0) return invalid_argument("options: reserved has {}, expected 0", value);
  return ok_status();
}

Result<OnError> to_on_error(int32_t on_error) {
  if (on_error == MICROTOME_RAISE) return OnError::raise;
  if (on_error == MICROTOME_FILL) return OnError::fill;
  return invalid_argument("on_error is {}, expected MICROTOME_RAISE (0) or MICROTOME_FILL (1)", on_error);
}

Result<int> to_workers(int32_t workers) {
  if (workers < 0) return invalid_argument("workers is {}, expected 0 or more", workers);
  return workers == 0 ? usable_cpus() : std::min(workers, Executor::kMaxThreads);
}

Result<std::vector<std::byte>> to_fill(const double* values, size_t count, const TileFormat& format) {
  const double usual = format.type == SampleType::i8 ? 127 : 255;
  if (values == nullptr) {
    if (count != 0) return invalid_argument("fill is NULL and fill_count {}", count);
    return make_fill({&usual, 1}, format.samples, format.type);
  }
  return make_fill({values, count}, format.samples, format.type);
}

}  // namespace microtome::c_api
