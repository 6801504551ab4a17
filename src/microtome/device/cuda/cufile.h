// Reads from files into memory of one device, by cuFile: straight from the disk where the machine can.
//
// What a read that has device memory to fill uses instead of pread and a copy. Each object keeps what it is
// made of; in a forked child they are dropped without a call. Reads wait for the disk and, in compat mode,
// for the device: they are for threads that may wait, never for a device thread. Knows descriptors and
// addresses; no slides. Thread-safe.
//
// Note [Direct or not]
// GPUDirect Storage needs the kernel module nvidia-fs, or a kernel and a file system whose pages a disk can
// send to the GPU by itself. Without either, and for files of other file systems, cuFile reads into memory of
// the host and copies: its compat mode, which its configuration may forbid. `mode` says what the machine has;
// which way a certain file goes is cuFile's own business.
//
// Source: https://docs.nvidia.com/gpudirect-storage/api-reference-guide/
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "microtome/base/error.h"
#include "microtome/device/cuda/device.h"
#include "microtome/device/cuda/libraries.h"

namespace microtome::cuda {

/// Note [Direct or not]
enum class CufileMode : uint8_t { direct, compat };

class Cufile : public std::enable_shared_from_this<Cufile> {
 public:
  /// Offsets, addresses and sizes that are multiples of this need no detour.
  static constexpr size_t kAlign = 4096;

  /// Opens the library and its driver. Errors: unavailable, with the places where the library was looked for,
  /// or with cuFile's answer.
  static Result<std::shared_ptr<const Cufile>> open(std::shared_ptr<const Device> device,
                                                    const LibraryPlaces& places);
  ~Cufile();
  Cufile(const Cufile&) = delete;
  Cufile& operator=(const Cufile&) = delete;

  CufileMode mode() const noexcept { return mode_; }
  const std::string& path() const noexcept { return library_.path; }  ///< Of the library.

  /// Memory that is registered until this is dropped, which is before the memory is freed.
  class Buffer {
   public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer();
    DeviceAddress address() const noexcept { return address_; }

   private:
    friend class Cufile;
    std::shared_ptr<const Cufile> cufile_;
    DeviceAddress address_ = 0;
  };
  /// Errors  unavailable: cuFile's answer; there may be less memory that can be registered than of the
  /// device.
  Result<Buffer> register_memory(DeviceAddress address, size_t bytes) const;

  /// A file that is registered until this is dropped.
  class File {
   public:
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    uint64_t size() const noexcept { return size_; }  ///< When it was opened.

    /// Reads `bytes` at `offset` to `at` bytes behind the buffer's beginning; fewer only where the file ends.
    /// How many. Errors: io, the system's or cuFile's answer.
    Result<size_t> read(const Buffer& to, size_t at, uint64_t offset, size_t bytes) const;

   private:
    friend class Cufile;
    File(std::shared_ptr<const Cufile> cufile, int descriptor)
        : cufile_(std::move(cufile)), descriptor_(descriptor) {}

    std::shared_ptr<const Cufile> cufile_;
    int descriptor_;  // our own
    uint64_t size_ = 0;
    CufileHandle handle_ = nullptr;
  };
  /// The file that `descriptor` is of, which may be closed afterwards. Errors: io, the system opens it no
  /// second time; unavailable, cuFile's answer: not on this file system, not in this configuration.
  Result<std::shared_ptr<const File>> open_file(int descriptor) const;

 private:
  Cufile(std::shared_ptr<const Device> device, OpenLibrary<CufileApi> library)
      : device_(std::move(device)), library_(std::move(library)) {}
  Status start();
  Status answer(const char* call, CufileError error) const;
  Status entered(const CurrentDevice& current) const;
  const CufileApi& api() const noexcept { return library_.api; }
  bool is_usable() const noexcept { return device_->driver().is_own_process(); }

  const std::shared_ptr<const Device> device_;
  const OpenLibrary<CufileApi> library_;
  bool opened_ = false;  // by us
  CufileMode mode_ = CufileMode::compat;
};

}  // namespace microtome::cuda
