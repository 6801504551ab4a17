// The fake driver: device memory that the host cannot touch, pinned memory, copies.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "tests/fake_cuda/library.h"
#include "tests/fake_cuda/state.h"
#include "tests/fake_cuda/streams.h"

namespace fake {
namespace {

constexpr size_t kAlignment = 256;
constexpr int kUnset = 0xa5;  // what memory holds before anything is written to it

size_t page() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

size_t round_up(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}

std::byte* map(size_t bytes, int protection) {
  void* mapped = ::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  return static_cast<std::byte*>(mapped);
}

constexpr size_t kUnsetBytes = size_t{1} << 20;

/// A file in memory of kUnsetBytes that nothing has been written to. Never closed.
int unset_file() {
  static const int file = [] {
    const int made = ::memfd_create("unset", MFD_CLOEXEC);
    const std::vector<char> bytes(kUnsetBytes, static_cast<char>(kUnset));
    if (made < 0 || ::write(made, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
    return made;
  }();
  return file;
}

/// Pages for `bytes` between two that fault; the memory ends at the second. They are mapped rather than set,
/// since tests use little of their large blocks: a page costs something when it is written to.
struct Guarded {
  explicit Guarded(size_t bytes)
      : mapped(round_up(bytes, page()) + 2 * page()), start(map(mapped, PROT_NONE)) {
    data = start + mapped - page() - round_up(bytes, kAlignment);
    std::byte* const end = start + mapped - page();
    for (std::byte* at = start + page(); at < end; at += kUnsetBytes) {
      const size_t part = std::min(kUnsetBytes, static_cast<size_t>(end - at));
      if (::mmap(at, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, unset_file(), 0) == MAP_FAILED)
        std::abort();
    }
  }
  size_t mapped;
  std::byte* start;
  std::byte* data;
};

/// The block that has all of `bytes` from `address`, and where they are in it. With the mutex held.
std::pair<std::shared_ptr<Block>, std::byte*> resolve(microtome::cuda::DeviceAddress address, size_t bytes) {
  auto after = state().blocks.upper_bound(address);
  if (after == state().blocks.begin()) return {};
  const auto& block = std::prev(after)->second;
  const size_t offset = address - block->address;
  if (offset > block->size || bytes > block->size - offset) return {};
  return {block, block->bytes + offset};
}

Access access_of(const Block& block, const std::byte* at, size_t bytes, bool writes) {
  const auto begin = static_cast<size_t>(at - block.bytes);
  return {&block, begin, begin + bytes, writes};
}

}  // namespace

std::optional<Access> pinned_access(const void* memory, size_t bytes, bool writes) {
  const auto* at = static_cast<const std::byte*>(memory);
  auto after = state().pinned.upper_bound(const_cast<void*>(memory));
  if (after == state().pinned.begin()) return std::nullopt;
  const auto& [start, size] = *std::prev(after);
  const auto begin = static_cast<size_t>(at - static_cast<std::byte*>(start));
  if (begin > size || bytes > size - begin) return std::nullopt;
  return Access{start, begin, begin + bytes, writes};
}

Block::Block(size_t wanted, int on_device) : size(wanted), device(on_device) {
  const Guarded pages(wanted);
  mapped_ = pages.mapped;
  pages_ = pages.start;
  bytes = pages.data;
  addresses_ = map(mapped_, PROT_NONE);
  address = reinterpret_cast<microtome::cuda::DeviceAddress>(addresses_) + page();
}

void unmap_pinned(void* memory, size_t bytes) {
  state().races.forget(memory);
  ::munmap(static_cast<std::byte*>(memory) - page(), bytes + 2 * page());
}

Block::~Block() {
  ::munmap(pages_, mapped_);
  ::munmap(addresses_, mapped_);
}

bool is_device_memory(int device, uint64_t address, size_t bytes) {
  const std::lock_guard lock(state().mutex);
  const auto [block, at] = resolve(address, bytes);
  return block && block->device == device;
}

bool host_writes(const char* function, int device, uint64_t address, size_t bytes,
                 const std::function<void(std::byte*)>& write) {
  constexpr int kHost = 0;
  std::shared_ptr<Block> block;
  std::byte* at = nullptr;
  {
    const std::lock_guard lock(state().mutex);
    std::tie(block, at) = resolve(address, bytes);
    if (!block || block->device != device) return false;
    state().host.advance(kHost);
    state().races.touch(function, kHost, state().host, access_of(*block, at, bytes, true));
  }
  write(at);
  return true;
}

}  // namespace fake

FAKE_API void* fake_cuda_memory(uint64_t address, size_t bytes, bool writes) {
  const fake::Running* running = fake::running();
  if (!running) return nullptr;
  fake::State& s = fake::state();
  const std::lock_guard lock(s.mutex);
  const auto [block, at] = fake::resolve(address, bytes);
  if (!block) {  // pinned memory has the same address on the host and on every device
    auto* const host = reinterpret_cast<std::byte*>(address);
    if (const auto pinned = fake::pinned_access(host, bytes, writes)) {
      s.races.touch(running->operation, running->stream->actor, running->stream->clock, *pinned);
      return host;
    }
  }
  if (!block || block->device != running->stream->device) {
    s.lost = true;
    return nullptr;
  }
  s.races.touch(running->operation, running->stream->actor, running->stream->clock,
                fake::access_of(*block, at, bytes, writes));
  return at;
}

namespace microtome::cuda {

DriverStatus cuMemGetInfo_v2(size_t* free, size_t* total) {
  FAKE_ENTER("cuMemGetInfo_v2");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  const std::lock_guard lock(fake::state().mutex);
  *free = *total = static_cast<size_t>(fake::state().settings.memory);
  for (const auto& [address, block] : fake::state().blocks)
    if (block->device == context->device) *free -= block->size;
  return DriverStatus::success;
}

DriverStatus cuMemAlloc_v2(DeviceAddress* address, size_t bytes) {
  FAKE_ENTER("cuMemAlloc_v2");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (bytes == 0) return DriverStatus::invalid_value;
  const std::lock_guard lock(fake::state().mutex);
  ++fake::state().report.synchronous_calls;
  if (fake::allocation_fails(bytes, context->device)) return DriverStatus::out_of_memory;
  const auto block = std::make_shared<fake::Block>(bytes, context->device);
  fake::state().blocks.emplace(block->address, block);
  *address = block->address;
  return DriverStatus::success;
}

/// As the driver's, it waits for the device's work first.
DriverStatus cuMemFree_v2(DeviceAddress address) {
  FAKE_ENTER("cuMemFree_v2");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  fake::wait_for_device(context->device);
  const std::lock_guard lock(fake::state().mutex);
  ++fake::state().report.synchronous_calls;
  const auto found = fake::state().blocks.find(address);
  if (found == fake::state().blocks.end()) return DriverStatus::invalid_value;
  fake::state().races.forget(found->second.get());
  fake::state().blocks.erase(found);
  return DriverStatus::success;
}

DriverStatus cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
  FAKE_ENTER("cuMemHostAlloc");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (bytes == 0 || flags > 7) return DriverStatus::invalid_value;
  const std::lock_guard lock(fake::state().mutex);
  ++fake::state().report.synchronous_calls;
  if (fake::allocation_fails(0, context->device)) return DriverStatus::out_of_memory;
  const size_t whole = fake::round_up(bytes, fake::page());  // page-aligned, as the driver's
  std::byte* pages = fake::Guarded(whole).start + fake::page();
  fake::state().pinned.emplace(pages, whole);
  *memory = pages;
  return DriverStatus::success;
}

DriverStatus cuMemFreeHost(void* memory) {
  FAKE_ENTER("cuMemFreeHost");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  fake::wait_for_device(context->device);
  const std::lock_guard lock(fake::state().mutex);
  ++fake::state().report.synchronous_calls;
  const auto found = fake::state().pinned.find(memory);
  if (found == fake::state().pinned.end()) return DriverStatus::invalid_value;
  fake::unmap_pinned(memory, found->second);
  fake::state().pinned.erase(found);
  return DriverStatus::success;
}

/// From pinned memory the bytes are read when the stream comes to it; from other memory they are copied aside
/// at once.
DriverStatus cuMemcpyHtoDAsync_v2(DeviceAddress to, const void* from, size_t bytes, StreamHandle stream) {
  FAKE_ENTER("cuMemcpyHtoDAsync_v2");
  std::shared_ptr<fake::Block> block;
  std::byte* target = nullptr;
  std::optional<fake::Access> pinned;
  {
    const std::lock_guard lock(fake::state().mutex);
    std::tie(block, target) = fake::resolve(to, bytes);
    if (!block) return DriverStatus::invalid_value;
    pinned = fake::pinned_access(from, bytes, false);
    fake::state().report.bytes_to_device += bytes;
    fake::state().report.pageable_copies += !pinned;
  }
  Operation copy{"cuMemcpyHtoDAsync_v2", {fake::access_of(*block, target, bytes, true)}, {}};
  if (pinned) {
    copy.accesses.push_back(*pinned);
    copy.work = [block, target, from, bytes] { std::memcpy(target, from, bytes); };
  } else {
    const auto* start = static_cast<const std::byte*>(from);
    copy.work = [block, target, aside = std::vector<std::byte>(start, start + bytes)] {
      std::memcpy(target, aside.data(), aside.size());
    };
  }
  return fake::enqueue(stream, block->device, std::move(copy));
}

/// Into memory that is not pinned the host waits for the copy, as with the driver.
DriverStatus cuMemcpyDtoHAsync_v2(void* to, DeviceAddress from, size_t bytes, StreamHandle stream) {
  FAKE_ENTER("cuMemcpyDtoHAsync_v2");
  std::shared_ptr<fake::Block> block;
  std::byte* source = nullptr;
  std::optional<fake::Access> pinned;
  {
    const std::lock_guard lock(fake::state().mutex);
    std::tie(block, source) = fake::resolve(from, bytes);
    if (!block) return DriverStatus::invalid_value;
    pinned = fake::pinned_access(to, bytes, true);
    fake::state().report.bytes_to_host += bytes;
    fake::state().report.pageable_copies += !pinned;
    fake::state().report.synchronous_calls += !pinned;
  }
  Operation copy{"cuMemcpyDtoHAsync_v2",
                 {fake::access_of(*block, source, bytes, false)},
                 [block, source, to, bytes] { std::memcpy(to, source, bytes); }};
  if (pinned) copy.accesses.push_back(*pinned);
  const DriverStatus queued = fake::enqueue(stream, block->device, std::move(copy));
  if (queued == DriverStatus::success && !pinned) fake::wait_for_stream(stream);
  return queued;
}

DriverStatus cuMemsetD8Async(DeviceAddress to, unsigned char value, size_t bytes, StreamHandle stream) {
  FAKE_ENTER("cuMemsetD8Async");
  std::shared_ptr<fake::Block> block;
  std::byte* target = nullptr;
  {
    const std::lock_guard lock(fake::state().mutex);
    std::tie(block, target) = fake::resolve(to, bytes);
    if (!block) return DriverStatus::invalid_value;
  }
  return fake::enqueue(stream, block->device,
                       {"cuMemsetD8Async",
                        {fake::access_of(*block, target, bytes, true)},
                        [block, target, value, bytes] { std::memset(target, value, bytes); }});
}

}  // namespace microtome::cuda
