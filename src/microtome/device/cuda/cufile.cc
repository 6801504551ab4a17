#include "microtome/device/cuda/cufile.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "microtome/base/fail.h"

namespace microtome::cuda {
namespace {

std::string_view name_of(CufileStatus status) {
  switch (status) {
    case CufileStatus::driver_not_initialized:
      return "CU_FILE_DRIVER_NOT_INITIALIZED: nvidia-fs is not loaded, and its configuration forbids compat "
             "mode";
    case CufileStatus::platform_not_supported:
      return "CU_FILE_PLATFORM_NOT_SUPPORTED";
    case CufileStatus::io_not_supported:
      return "CU_FILE_IO_NOT_SUPPORTED: not for this file";
    case CufileStatus::device_not_supported:
      return "CU_FILE_DEVICE_NOT_SUPPORTED";
    case CufileStatus::cuda_driver_error:
      return "CU_FILE_CUDA_DRIVER_ERROR";
    case CufileStatus::pointer_invalid:
      return "CU_FILE_CUDA_POINTER_INVALID";
    case CufileStatus::direct_io_not_set:
      return "CU_FILE_DIO_NOT_SET: this file system has no direct I/O";
    case CufileStatus::invalid_value:
      return "CU_FILE_INVALID_VALUE";
    case CufileStatus::memory_already_registered:
      return "CU_FILE_MEMORY_ALREADY_REGISTERED";
    case CufileStatus::memory_not_registered:
      return "CU_FILE_MEMORY_NOT_REGISTERED";
    case CufileStatus::driver_already_open:
      return "CU_FILE_DRIVER_ALREADY_OPEN";
    case CufileStatus::handle_not_registered:
      return "CU_FILE_HANDLE_NOT_REGISTERED";
    case CufileStatus::handle_already_registered:
      return "CU_FILE_HANDLE_ALREADY_REGISTERED";
    case CufileStatus::internal_error:
      return "CU_FILE_INTERNAL_ERROR";
    default:
      return "cufile.h has its name";
  }
}

std::string text_of(CufileStatus status) {
  return fmt::format("{} ({})", static_cast<unsigned>(status), name_of(status));
}

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// The same file once more, past the page cache if its file system can; else -1.
int open_again(int descriptor) {
  const std::string path = fmt::format("/proc/self/fd/{}", descriptor);
  const int direct = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
  return direct >= 0 ? direct : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

Result<std::shared_ptr<const Cufile>> Cufile::open(std::shared_ptr<const Device> device,
                                                   const LibraryPlaces& places) {
  MICROTOME_TRY(device->driver().usable());
  MICROTOME_ASSIGN(OpenLibrary<CufileApi> library, open_cufile(places));
  const std::shared_ptr<Cufile> cufile(new Cufile(std::move(device), std::move(library)));
  MICROTOME_TRY(cufile->start());
  return std::shared_ptr<const Cufile>(cufile);
}

Status Cufile::answer(const char* call, CufileError error) const {
  if (error.status == CufileStatus::success) return ok_status();
  const std::string of_driver =
      error.status == CufileStatus::cuda_driver_error
          ? fmt::format(", for which the driver answered {}", device_->driver().status_text(error.driver))
          : std::string();
  return unavailable("cuFile {}: {} answered {}{}", library_.path, call, text_of(error.status), of_driver);
}

Status Cufile::entered(const CurrentDevice& current) const {
  if (current.status() == DriverStatus::success) return ok_status();
  return unavailable("cuFile: cuCtxPushCurrent_v2 answered {}",
                     device_->driver().status_text(current.status()));
}

Status Cufile::start() {
  const CurrentDevice current(*device_);
  MICROTOME_TRY(entered(current));
  const CufileError opened = api().cuFileDriverOpen();
  // Another package of the process may have it open; then it is that one's to close.
  if (opened.status != CufileStatus::driver_already_open) MICROTOME_TRY(answer("cuFileDriverOpen", opened));
  opened_ = opened.status == CufileStatus::success;
  CufileProperties properties{};
  MICROTOME_TRY(answer("cuFileDriverGetProperties", api().cuFileDriverGetProperties(&properties)));
  const bool has_module = properties.nvfs.major_version != 0 || properties.nvfs.minor_version != 0;
  const bool is_direct = has_module || (properties.feature_flags >> kCufilePeerToPeerBit & 1) != 0;
  mode_ = is_direct ? CufileMode::direct : CufileMode::compat;
  return ok_status();
}

Cufile::~Cufile() {
  if (!opened_ || !is_usable()) return;
  const CurrentDevice current(*device_);
  static_cast<void>(api().cuFileDriverClose_v2());
}

Cufile::Buffer::Buffer(Buffer&& other) noexcept
    : cufile_(std::move(other.cufile_)), address_(std::exchange(other.address_, 0)) {}

Cufile::Buffer& Cufile::Buffer::operator=(Buffer&& other) noexcept {
  std::swap(cufile_, other.cufile_);
  std::swap(address_, other.address_);
  return *this;
}

Cufile::Buffer::~Buffer() {
  if (cufile_ == nullptr || !cufile_->is_usable()) return;
  const CurrentDevice current(*cufile_->device_);
  static_cast<void>(cufile_->api().cuFileBufDeregister(reinterpret_cast<const void*>(address_)));
}

Result<Cufile::Buffer> Cufile::register_memory(DeviceAddress address, size_t bytes) const {
  MICROTOME_TRY(device_->driver().usable());
  const CurrentDevice current(*device_);
  MICROTOME_TRY(entered(current));
  MICROTOME_TRY(
      answer("cuFileBufRegister", api().cuFileBufRegister(reinterpret_cast<const void*>(address), bytes, 0)));
  Buffer buffer;
  buffer.cufile_ = shared_from_this();
  buffer.address_ = address;
  return buffer;
}

Result<std::shared_ptr<const Cufile::File>> Cufile::open_file(int descriptor) const {
  MICROTOME_TRY(device_->driver().usable());
  const int own = open_again(descriptor);
  if (own < 0) return io("cuFile: the file cannot be opened once more: {}", reason(errno));
  std::shared_ptr<File> file(new File(shared_from_this(), own));
  struct stat status {};
  if (::fstat(own, &status) != 0) return io("cuFile: fstat: {}", reason(errno));
  file->size_ = static_cast<uint64_t>(status.st_size);
  CufileDescriptor described{};
  described.kind = CufileKind::opaque_fd;
  described.file.fd = own;
  const CurrentDevice current(*device_);
  MICROTOME_TRY(entered(current));
  CufileHandle handle = nullptr;
  MICROTOME_TRY(answer("cuFileHandleRegister", api().cuFileHandleRegister(&handle, &described)));
  file->handle_ = handle;
  return std::shared_ptr<const File>(file);
}

Cufile::File::~File() {
  if (handle_ != nullptr && cufile_->is_usable()) {
    const CurrentDevice current(*cufile_->device_);
    cufile_->api().cuFileHandleDeregister(handle_);
  }
  ::close(descriptor_);
}

Result<size_t> Cufile::File::read(const Buffer& to, size_t at, uint64_t offset, size_t bytes) const {
  MICROTOME_TRY(cufile_->device_->driver().usable());
  const CurrentDevice current(*cufile_->device_);
  MICROTOME_TRY(cufile_->entered(current));
  size_t done = 0;
  while (done < bytes) {
    errno = 0;
    const ssize_t got =
        cufile_->api().cuFileRead(handle_, reinterpret_cast<void*>(to.address()), bytes - done,
                                  static_cast<off_t>(offset + done), static_cast<off_t>(at + done));
    if (got == -1)
      return io("cuFileRead of {} bytes at offset {}: {}", bytes - done, offset + done, reason(errno));
    if (got < 0)
      return io("cuFileRead of {} bytes at offset {} answered {}", bytes - done, offset + done,
                text_of(static_cast<CufileStatus>(-got)));
    if (got == 0) break;  // the end of the file
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace microtome::cuda
