// Errors as C has them.
#include <cstring>

#include "microtome/c_api/handles.h"

namespace microtome::c_api {
namespace {

microtome_status to_status(Errc code) noexcept {
  switch (code) {
    case Errc::not_found:
      return MICROTOME_NOT_FOUND;
    case Errc::io:
      return MICROTOME_IO;
    case Errc::corrupt:
      return MICROTOME_CORRUPT;
    case Errc::unsupported:
      return MICROTOME_UNSUPPORTED;
    case Errc::out_of_range:
      return MICROTOME_OUT_OF_RANGE;
    case Errc::invalid_argument:
      return MICROTOME_INVALID_ARGUMENT;
    case Errc::out_of_memory:
      return MICROTOME_OUT_OF_MEMORY;
    case Errc::unavailable:
      return MICROTOME_UNAVAILABLE;
    case Errc::cancelled:
      return MICROTOME_CANCELLED;
    case Errc::internal:
      break;
  }
  return MICROTOME_INTERNAL;
}

/// How much of `text` fits into `room` bytes without cutting a UTF-8 character in two.
size_t whole_characters(std::string_view text, size_t room) noexcept {
  if (text.size() <= room) return text.size();
  size_t end = room;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end;
}

}  // namespace

microtome_status report(Errc code, std::string_view message, microtome_error* error) noexcept {
  const microtome_status status = to_status(code);
  if (error == nullptr) return status;
  error->status = status;
  const size_t length = whole_characters(message, sizeof error->message - 1);
  std::memcpy(error->message, message.data(), length);
  error->message[length] = '\0';
  return status;
}

microtome_status report(const Status& status, microtome_error* error) noexcept {
  if (!status.ok()) return report(status.error().code, status.error().message, error);
  if (error != nullptr) {
    error->status = MICROTOME_OK;
    error->message[0] = '\0';
  }
  return MICROTOME_OK;
}

}  // namespace microtome::c_api
