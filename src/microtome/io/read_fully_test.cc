#include "microtome/io/read_fully.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

namespace microtome {
namespace {

// Stand-ins for pread over these bytes; a call may be interrupted, short or refused.
constexpr std::string_view kContent = "the quick brown fox";
int calls = 0;

ssize_t short_and_interrupted(int, void* dst, size_t size, off_t offset) {
  if (calls++ % 2 == 0) {
    errno = EINTR;
    return -1;
  }
  const auto rest = kContent.substr(std::min(static_cast<size_t>(offset), kContent.size()));
  const size_t given = std::min({rest.size(), size, size_t{3}});
  std::copy_n(rest.data(), given, static_cast<char*>(dst));
  return static_cast<ssize_t>(given);
}

ssize_t fails_after_four(int, void* dst, size_t, off_t offset) {
  if (offset >= 4) {
    errno = EIO;
    return -1;
  }
  *static_cast<char*>(dst) = kContent[static_cast<size_t>(offset)];
  return 1;
}

TEST(ReadFully, GoesOnAfterInterruptionsAndShortReads) {
  calls = 0;
  std::string text(9, '?');
  const auto outcome = read_fully(-1, 4, std::as_writable_bytes(std::span(text)), short_and_interrupted);
  EXPECT_EQ(outcome.error_number, 0);
  EXPECT_EQ(outcome.size, 9u);
  EXPECT_EQ(text, "quick bro");
  EXPECT_EQ(calls, 6);
}

TEST(ReadFully, StopsAtTheEndOfTheFile) {
  std::string text(10, '?');
  const auto outcome = read_fully(-1, 16, std::as_writable_bytes(std::span(text)), short_and_interrupted);
  EXPECT_EQ(outcome.error_number, 0);
  EXPECT_EQ(outcome.size, 3u);
  EXPECT_EQ(text, "fox???????");
}

TEST(ReadFully, SaysWhichErrorAndHowFarItCame) {
  std::string text(6, '?');
  const auto outcome = read_fully(-1, 0, std::as_writable_bytes(std::span(text)), fails_after_four);
  EXPECT_EQ(outcome.error_number, EIO);
  EXPECT_EQ(outcome.size, 4u);
  EXPECT_EQ(text, "the ??");
}

}  // namespace
}  // namespace microtome
