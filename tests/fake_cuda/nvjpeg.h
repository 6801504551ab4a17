// What the parts of the fake nvJPEG share: its objects, and how one image is decoded.
//
// Objects are as the library's documentation has them: a handle belongs to a device; states, streams and
// buffers serve one thread at a time, and a state that is still at work on the device may not be used.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "microtome/device/cuda/nvjpeg_api.h"
#include "tests/fake_cuda/alive.h"
#include "tests/fake_cuda/jpeg_planes.h"

namespace microtome::cuda {

struct NvjpegObject {
  int device = 0;
  NvjpegBackend backend = NvjpegBackend::standard;
  NvjpegDeviceAllocator device_memory{};  // null functions: none was given
  NvjpegPinnedAllocator pinned_memory{};
};

struct NvjpegStreamObject {
  fake::JpegBytes bytes;  // the caller's
  fake::JpegInfo info;
  bool parsed = false;
};

struct NvjpegParamsObject {
  NvjpegOutput output = NvjpegOutput::unchanged;
};

struct NvjpegDecoderObject {
  const NvjpegObject* handle = nullptr;
  NvjpegBackend backend = NvjpegBackend::standard;
};

}  // namespace microtome::cuda

namespace fake {

/// Memory that a library takes with its caller's functions, or has of its own where there are none.
template <class Allocator>
class LibraryMemory {
 public:
  explicit LibraryMemory(const Allocator& allocator) : allocator_(allocator) {}
  ~LibraryMemory() { release(); }
  LibraryMemory(const LibraryMemory&) = delete;
  LibraryMemory& operator=(const LibraryMemory&) = delete;

  bool grow(size_t bytes, microtome::cuda::StreamHandle stream) {
    if (bytes <= bytes_ || !allocator_.allocate) return true;
    release();
    stream_ = stream;
    if (allocator_.allocate(allocator_.context, &memory_, bytes, stream) != 0) return false;
    bytes_ = bytes;
    return true;
  }
  /// Of the device, or of the host; 0: its own.
  uint64_t address() const { return reinterpret_cast<uint64_t>(memory_); }
  size_t size() const { return bytes_; }

 private:
  void release() {
    if (bytes_) static_cast<void>(allocator_.release(allocator_.context, memory_, bytes_, stream_));
    memory_ = nullptr;
    bytes_ = 0;
  }

  Allocator allocator_;
  void* memory_ = nullptr;
  size_t bytes_ = 0;
  microtome::cuda::StreamHandle stream_ = nullptr;
};

}  // namespace fake

namespace microtome::cuda {

struct NvjpegPinnedObject {
  explicit NvjpegPinnedObject(const NvjpegPinnedAllocator& allocator) : memory(allocator) {}
  fake::LibraryMemory<NvjpegPinnedAllocator> memory;
};

struct NvjpegDeviceObject {
  explicit NvjpegDeviceObject(const NvjpegDeviceAllocator& allocator) : memory(allocator) {}
  fake::LibraryMemory<NvjpegDeviceAllocator> memory;
};

/// Where the decoupled calls of one image have got to.
enum class NvjpegStage : unsigned char { none, on_host, on_its_way };

struct NvjpegStateObject {
  explicit NvjpegStateObject(const NvjpegObject& of, const NvjpegDecoderObject* by)
      : handle(&of), decoder(by), scratch(of.device_memory) {}

  const NvjpegObject* handle;
  const NvjpegDecoderObject* decoder;  // null: of the batched calls
  std::atomic<int> at_work{0};         // on the device
  // Of the batched ones.
  int batch = 0;  // 0: to be initialised, at first and after a batch that failed
  fake::LibraryMemory<NvjpegDeviceAllocator> scratch;
  // Of the decoupled ones.
  std::shared_ptr<NvjpegPinnedObject> pinned;
  std::shared_ptr<NvjpegDeviceObject> device;
  NvjpegStage stage = NvjpegStage::none;
  fake::JpegPlanes planes;
};

}  // namespace microtome::cuda

namespace fake {

using microtome::cuda::NvjpegStatus;

NvjpegStatus answer(Fault fault);

/// All of nvJPEG's objects. Never destroyed.
struct Nvjpeg {
  Alive<microtome::cuda::NvjpegObject> handles;
  Alive<microtome::cuda::NvjpegStateObject> states;
  Alive<microtome::cuda::NvjpegStreamObject> streams;
  Alive<microtome::cuda::NvjpegParamsObject> params;
  Alive<microtome::cuda::NvjpegDecoderObject> decoders;
  Alive<microtome::cuda::NvjpegPinnedObject> pinned;
  Alive<microtome::cuda::NvjpegDeviceObject> device;
};
Nvjpeg& nvjpeg();

/// Whether the engines decode such a stream.
bool engine_takes(const JpegInfo& info);
/// Whether the calls without engines do.
bool library_takes(const JpegInfo& info);

/// Errors: invalid_parameter, a plane without memory or with a pitch that is less than its width.
NvjpegStatus check_target(const JpegPlanes& planes, const microtome::cuda::NvjpegImage& image);

/// In work on the device: writes the planes. False: some of the memory is not there.
bool write_planes(const JpegPlanes& planes, const microtome::cuda::NvjpegImage& image);

/// Whether this image, of all that are decoded, is to be left out and said to be done.
bool is_skipped();

}  // namespace fake

#define NVJPEG_ENTER(function)                                                             \
  do {                                                                                     \
    if (const fake::Fault made = fake::enter_library(function); made != fake::Fault::none) \
      return fake::answer(made);                                                           \
  } while (0)

#define NVJPEG_API extern "C" __attribute__((visibility("default")))

namespace microtome::cuda {
#define NVJPEG_DECLARE(need, name, result, parameters) NVJPEG_API result name parameters;
MICROTOME_NVJPEG_API(NVJPEG_DECLARE)
#undef NVJPEG_DECLARE
}  // namespace microtome::cuda
