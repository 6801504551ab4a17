#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "microtome/io/byte_source.h"
#include "microtome/io/temporary_files_for_test.h"

namespace microtome {
namespace {

std::string read_text(const ByteSource& source, uint64_t offset, size_t size) {
  std::string text(size, '?');
  const Status status = source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return status.ok() ? text : status.error().to_string();
}

std::string open_error(const std::string& path) {
  const auto result = open_file(path);
  return result.ok() ? "opened" : result.error().to_string();
}

TEST(FileSource, ReadsAnyRangeAndNothingBeyondTheEnd) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("a.bin", "0123456789");
  const auto source = open_file(path).value();
  EXPECT_EQ(source->name(), path);
  EXPECT_EQ(source->size(), 10u);
  EXPECT_EQ(read_text(*source, 0, 10), "0123456789");
  EXPECT_EQ(read_text(*source, 7, 3), "789");
  EXPECT_EQ(read_text(*source, 10, 0), "");
  EXPECT_EQ(read_text(*source, 7, 4), "corrupt: '" + path + "' has 10 bytes, expected 4 bytes at offset 7");
  EXPECT_EQ(read_text(*source, UINT64_MAX, 2),
            "corrupt: '" + path + "' has 10 bytes, expected 2 bytes at offset 18446744073709551615");
  EXPECT_TRUE(source->check_unchanged().ok());
}

TEST(FileSource, EmptyFileOpensWithSizeZero) {
  const TemporaryDirectory directory;
  const auto source = open_file(directory.write("empty", "")).value();
  EXPECT_EQ(source->size(), 0u);
  EXPECT_EQ(source->read_at(0, {}).ok(), true);
}

TEST(FileSource, MissingFileIsNotFound) {
  const TemporaryDirectory directory;
  const std::string missing = directory.path("none.svs");
  EXPECT_EQ(open_error(missing), "not found: cannot open '" + missing + "': No such file or directory");
  const std::string below_file = directory.write("file", "x") + "/a.svs";
  EXPECT_EQ(open_error(below_file), "not found: cannot open '" + below_file + "': Not a directory");
  EXPECT_EQ(open_error(""), "not found: cannot open '': No such file or directory");
}

TEST(FileSource, OtherKindsOfFileAreNamed) {
  const TemporaryDirectory directory;
  EXPECT_EQ(open_error(directory.path()), "invalid argument: cannot open '" + directory.path() +
                                              "': it is a directory, expected a regular file");
  const std::string fifo = directory.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(open_error(fifo),
            "invalid argument: cannot open '" + fifo + "': it is a FIFO, expected a regular file");
  EXPECT_EQ(open_error("/dev/null"),
            "invalid argument: cannot open '/dev/null': it is a character device, expected a regular file");
}

TEST(FileSource, SocketIsNamed) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("s");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(open_error(path),
            "invalid argument: cannot open '" + path + "': it is a socket, expected a regular file");
  ::close(fd);
}

TEST(FileSource, PathWithNulIsRefusedRatherThanCut) {
  const TemporaryDirectory directory;
  std::string path = directory.write("a.svs", "x");
  path += '\0';
  path += "b";
  const auto result = open_file(path);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::invalid_argument);
}

TEST(FileSource, SystemErrorsKeepTheirReason) {
  const TemporaryDirectory directory;
  const std::string loop = directory.path("loop");
  ASSERT_EQ(::symlink(loop.c_str(), loop.c_str()), 0);
  EXPECT_EQ(open_error(loop), "io: cannot open '" + loop + "': Too many levels of symbolic links");
}

TEST(FileSource, ClosesOnExecAndClosesItsDescriptor) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("a.bin", "x");
  // The kernel gives the lowest free number: opening again after the source is gone gives the same one.
  const int free_before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(free_before);
  {
    const auto source = open_file(path).value();
    const int flags = ::fcntl(free_before, F_GETFD);
    ASSERT_GE(flags, 0) << "the source is expected to use descriptor " << free_before;
    EXPECT_TRUE(flags & FD_CLOEXEC);
  }
  EXPECT_EQ(::fcntl(free_before, F_GETFD), -1);
  EXPECT_EQ(open_error(directory.path()).rfind("invalid argument", 0), 0u);
  EXPECT_EQ(::fcntl(free_before, F_GETFD), -1) << "a refused file stays open";
}

TEST(FileSource, ReadsBeyondFourGibibytes) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("sparse.bin", "");
  constexpr uint64_t kFar = (uint64_t{9} << 30) / 2 + 3;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::pwrite(fd, "far away", 8, static_cast<off_t>(kFar)), 8) << std::strerror(errno);
  ::close(fd);
  const auto source = open_file(path).value();
  EXPECT_EQ(source->size(), kFar + 8);
  EXPECT_EQ(read_text(*source, kFar, 8), "far away");
  EXPECT_EQ(read_text(*source, kFar - 2, 4), std::string("\0\0fa", 4));
  EXPECT_EQ(read_text(*source, 0, 2), std::string(2, '\0'));
}

TEST(FileSource, TruncationWhileOpenIsAnErrorNotASignal) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("a.bin", std::string(8192, 'x'));
  const auto source = open_file(path).value();
  ASSERT_EQ(::truncate(path.c_str(), 100), 0);
  EXPECT_EQ(read_text(*source, 90, 20),
            "io: file became shorter: '" + path +
                "' gave 10 of 20 bytes at offset 90; it had 8192 bytes when opened");
  EXPECT_EQ(source->check_unchanged().error().to_string(),
            "io: file became shorter: '" + path + "' has 100 bytes, expected 8192 as when it was opened");
  EXPECT_EQ(read_text(*source, 0, 2), "xx");
}

TEST(FileSource, GrowingAndRewritingWhileOpenAreSeen) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("a.bin", "abcd");
  auto source = open_file(path).value();
  const SourceId before = source->id();
  directory.write("a.bin", "abcdef");
  EXPECT_EQ(source->check_unchanged().error().to_string(),
            "io: file changed: '" + path + "' has 6 bytes, expected 4 as when it was opened");

  source = open_file(path).value();
  EXPECT_NE(source->id(), before);
  // Same size, another time: one nanosecond is enough.
  struct stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  timespec times[2] = {status.st_atim, status.st_mtim};
  times[1].tv_nsec = (times[1].tv_nsec + 1) % 1'000'000'000;
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(source->check_unchanged().error().to_string(),
            "io: file changed: '" + path + "' was modified after it was opened");
}

TEST(FileSource, IdentityIsTheFilesNotThePaths) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("a.bin", "abcd");
  const std::string link = directory.path("link.bin");
  ASSERT_EQ(::symlink(path.c_str(), link.c_str()), 0);
  const auto first = open_file(path).value();
  EXPECT_EQ(first->id(), open_file(link).value()->id());
  EXPECT_NE(first->id(), open_file(directory.write("b.bin", "abcd")).value()->id());
  EXPECT_EQ(first->id().size, 4u);
}

TEST(FileSource, EightThreadsReadOneSource) {
  const TemporaryDirectory directory;
  std::string content(1 << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>((i * 2654435761u) >> 13);
  const auto source = open_file(directory.write("a.bin", content)).value();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      uint32_t random = t + 1;
      for (int i = 0; i < 500; ++i) {
        random = random * 1664525u + 1013904223u;
        const size_t offset = random % (content.size() - 4096);
        if (read_text(*source, offset, 4096) != content.substr(offset, 4096)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace microtome
