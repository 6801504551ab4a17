#include "microtome/codec/for_test/memory_sanitizer.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define MICROTOME_MEMORY_SANITIZER 1
#endif
#endif

namespace microtome::test {

void written_unseen([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#ifdef MICROTOME_MEMORY_SANITIZER
  __msan_unpoison(data, size);
#endif
}

void not_written_yet([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#ifdef MICROTOME_MEMORY_SANITIZER
  __msan_poison(data, size);
#endif
}

}  // namespace microtome::test
