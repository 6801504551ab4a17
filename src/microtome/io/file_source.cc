#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/io/byte_source.h"
#include "microtome/io/check_range.h"
#include "microtome/io/read_fully.h"

namespace microtome {
namespace {

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    // Nothing was written, so a failing close loses nothing; repeating it could close another thread's file.
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

SourceId identity(const struct stat& status) {
  return {static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino),
          static_cast<uint64_t>(status.st_size),
          int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  return "not a regular file";
}

Error wrong_kind(const std::string& path, mode_t mode) {
  return invalid_argument("cannot open '{}': it is {}, expected a regular file", path, kind_of(mode));
}

class FileSource final : public ByteSource {
 public:
  FileSource(Descriptor descriptor, SourceId id, std::string name)
      : descriptor_(std::move(descriptor)), id_(id), name_(std::move(name)) {}

  std::string_view name() const noexcept override { return name_; }
  uint64_t size() const noexcept override { return id_.size; }
  SourceId id() const noexcept override { return id_; }
  int descriptor() const noexcept override { return descriptor_.get(); }

  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    MICROTOME_TRY(check_range(*this, offset, dst.size()));
    const ReadOutcome outcome = read_fully(descriptor_.get(), offset, dst, ::pread);
    if (outcome.error_number != 0) {
      return io("cannot read '{}' at offset {}: {}", name_, offset + outcome.size,
                reason(outcome.error_number));
    }
    if (outcome.size != dst.size()) {
      return io("file became shorter: '{}' gave {} of {} bytes at offset {}; it had {} bytes when opened",
                name_, outcome.size, dst.size(), offset, id_.size);
    }
    return ok_status();
  }

  Status check_unchanged() const override {
    struct stat status;
    if (::fstat(descriptor_.get(), &status) != 0) {
      return io("cannot examine '{}': {}", name_, reason(errno));
    }
    const SourceId now = identity(status);
    if (now.size < id_.size) {
      return io("file became shorter: '{}' has {} bytes, expected {} as when it was opened", name_, now.size,
                id_.size);
    }
    if (now.size != id_.size) {
      return io("file changed: '{}' has {} bytes, expected {} as when it was opened", name_, now.size,
                id_.size);
    }
    if (now.mtime_ns != id_.mtime_ns) {
      return io("file changed: '{}' was modified after it was opened", name_);
    }
    return ok_status();
  }

 private:
  Descriptor descriptor_;
  SourceId id_;
  std::string name_;
};

Error cannot_open(const std::string& path, int error_number) {
  struct stat status;
  // A socket cannot be opened at all (ENXIO); say what it is, as for everything else that is not a file.
  if (error_number == ENXIO && ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return wrong_kind(path, status.st_mode);
  }
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return not_found("cannot open '{}': {}", path, reason(error_number));
  }
  return io("cannot open '{}': {}", path, reason(error_number));
}

}  // namespace

Result<std::shared_ptr<const ByteSource>> open_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return invalid_argument("cannot open '{}': the path contains a NUL character", path.c_str());
  }
  int fd;
  do {
    // O_NONBLOCK: opening a FIFO must not wait for a writer; it changes nothing for regular files.
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return cannot_open(path, errno);
  Descriptor descriptor(fd);

  struct stat status;
  if (::fstat(fd, &status) != 0) return io("cannot examine '{}': {}", path, reason(errno));
  if (!S_ISREG(status.st_mode)) return wrong_kind(path, status.st_mode);
  return std::shared_ptr<const ByteSource>(
      std::make_shared<FileSource>(std::move(descriptor), identity(status), path));
}

}  // namespace microtome
