// Every message is the one that libjpeg's own error manager makes.
#include "microtome/codec/jpeg/messages.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jerror.h>
#include <jpeglib.h>

#include <string>

namespace microtome::jpeg {
namespace {

std::string formatted(jpeg_error_mgr manager, int code, const char* text) {
  jpeg_common_struct jpeg{};
  jpeg.err = &manager;
  manager.msg_code = code;
  if (text != nullptr) {
    std::strcpy(manager.msg_parm.s, text);
  } else {
    for (int i = 0; i < 8; ++i) manager.msg_parm.i[i] = 11 * (i + 1);
  }
  char buffer[JMSG_LENGTH_MAX];
  manager.format_message(&jpeg, buffer);
  return buffer;
}

TEST(Messages, AreLibjpegsOwn) {
  jpeg_error_mgr ours{}, theirs;
  init_messages(ours);
  jpeg_std_error(&theirs);
  ASSERT_EQ(ours.last_jpeg_message, theirs.last_jpeg_message);
  for (int code = -1; code <= theirs.last_jpeg_message + 1; ++code) {
    if (code == JMSG_COPYRIGHT || code == JMSG_VERSION) continue;  // see messages.cc
    const bool known = code > 0 && code <= theirs.last_jpeg_message;
    const bool has_text = known && std::strstr(theirs.jpeg_message_table[code], "%s") != nullptr;
    const char* text = has_text ? "some text" : nullptr;
    EXPECT_EQ(formatted(ours, code, text), formatted(theirs, code, text)) << code;
  }
}

TEST(Messages, AResetForgetsTheError) {
  jpeg_error_mgr manager{};
  init_messages(manager);
  manager.msg_code = 7;
  manager.num_warnings = 3;
  jpeg_common_struct jpeg{};
  jpeg.err = &manager;
  manager.reset_error_mgr(&jpeg);
  EXPECT_EQ(manager.msg_code, 0);
  EXPECT_EQ(manager.num_warnings, 0);
}

}  // namespace
}  // namespace microtome::jpeg
