#include "microtome/codec/for_test/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace microtome::test {

GuardedMemory::GuardedMemory(size_t capacity) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  capacity_ = (capacity + page - 1) / page * page;
  mapped_ = capacity_ + 2 * page;
  void* map = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map_ = static_cast<std::byte*>(map);
  data_ = map_ + page;
  if (map == MAP_FAILED || mprotect(data_, capacity_, PROT_READ | PROT_WRITE) != 0) {
    std::perror("guarded memory");
    std::abort();
  }
}

GuardedMemory::~GuardedMemory() {
  munmap(map_, mapped_);
}

}  // namespace microtome::test
