#include "microtome/io/read_fully.h"

#include <algorithm>
#include <cerrno>

namespace microtome {
namespace {

// Linux transfers at most 0x7ffff000 bytes a call (read(2)); other systems refuse more than INT_MAX.
constexpr size_t kMaxCall = size_t{1} << 30;

}  // namespace

ReadOutcome read_fully(int fd, uint64_t offset, std::span<std::byte> dst, PreadFunction pread_function) {
  static_assert(sizeof(off_t) == 8, "files beyond 2 GiB need a 64-bit off_t");
  ReadOutcome outcome;
  while (outcome.size < dst.size()) {
    const size_t wanted = std::min(dst.size() - outcome.size, kMaxCall);
    const ssize_t got =
        pread_function(fd, dst.data() + outcome.size, wanted, static_cast<off_t>(offset + outcome.size));
    if (got > 0) {
      outcome.size += static_cast<size_t>(got);
    } else if (got == 0) {
      break;  // end of file
    } else if (errno != EINTR) {
      outcome.error_number = errno;
      break;
    }
  }
  return outcome;
}

}  // namespace microtome
