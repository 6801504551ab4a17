#include "microtome/codec/for_test/memory_sanitizer.h"

#include "microtome/base/sanitizers.h"

#if MICROTOME_MSAN
#include <sanitizer/msan_interface.h>
#endif

namespace microtome::test {

void written_unseen([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#if MICROTOME_MSAN
  __msan_unpoison(data, size);
#endif
}

void not_written_yet([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#if MICROTOME_MSAN
  __msan_poison(data, size);
#endif
}

}  // namespace microtome::test
