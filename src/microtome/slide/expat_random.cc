// Expat salts its hash tables with arc4random_buf, which glibc has only from 2.36 on. Where Expat is linked
// statically, into wheels, this one is found first: they run wherever the glibc is that libjxl needs, 2.35.
#include <sys/random.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdlib>

extern "C" __attribute__((visibility("hidden"))) void arc4random_buf(void* to, size_t size) noexcept {
  auto* at = static_cast<unsigned char*>(to);
  while (size != 0) {
    // Up to 256 bytes come whole (getrandom(2)); Expat asks for eight.
    const ssize_t got = getrandom(at, size < 256 ? size : 256, 0);
    if (got <= 0) std::abort();  // no kernel without it runs such a glibc
    at += got;
    size -= static_cast<size_t>(got);
  }
}
