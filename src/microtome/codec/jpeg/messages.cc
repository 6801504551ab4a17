#include "microtome/codec/jpeg/messages.h"

#include <cstddef>
#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jpeglib.h>

#include <iterator>

namespace microtome::jpeg {
namespace {

// Of two messages that say what the library is, which no decoder makes; their text is not installed.
#define JCOPYRIGHT_SHORT ""
#define JVERSION ""

// By code, as jerror.h lists them.
const char* const kMessages[] = {
#define JMESSAGE(code, text) text,
#include <jerror.h>
};

// As libjpeg.txt says of format_message: JMSG_LENGTH_MAX bytes at most. A message has eight numbers or a
// text.
void format(j_common_ptr jpeg, char* buffer) {
  const jpeg_error_mgr& manager = *jpeg->err;
  const bool known = manager.msg_code > 0 && manager.msg_code <= manager.last_jpeg_message;
  const char* const text = kMessages[known ? manager.msg_code : 0];
  if (std::strstr(text, "%s") != nullptr) {
    std::snprintf(buffer, JMSG_LENGTH_MAX, text, manager.msg_parm.s);
  } else {
    const int* const i = manager.msg_parm.i;
    std::snprintf(buffer, JMSG_LENGTH_MAX, text, known ? i[0] : manager.msg_code, i[1], i[2], i[3], i[4],
                  i[5], i[6], i[7]);
  }
}

void reset(j_common_ptr jpeg) {
  jpeg->err->num_warnings = 0;
  jpeg->err->msg_code = 0;
}

}  // namespace

void init_messages(jpeg_error_mgr& manager) noexcept {
  manager.format_message = format;
  manager.reset_error_mgr = reset;
  manager.jpeg_message_table = kMessages;
  manager.last_jpeg_message = static_cast<int>(std::size(kMessages)) - 1;
}

}  // namespace microtome::jpeg
