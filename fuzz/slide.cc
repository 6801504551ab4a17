// Any bytes as a slide: it opens or is refused, and everything that an opened one can be asked has an answer.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ask_slide.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microtome;
  // A copy of its own, so that the sanitizer sees a read past the end.
  auto owner = std::make_shared<const std::vector<std::byte>>(
      reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  fuzz::open_and_ask(make_memory_source({*owner, owner}));
  return 0;
}
