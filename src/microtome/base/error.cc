#include "microtome/base/error.h"

namespace microtome {

std::string_view errc_name(Errc code) noexcept {
  switch (code) {
    case Errc::not_found:
      return "not found";
    case Errc::io:
      return "io";
    case Errc::corrupt:
      return "corrupt";
    case Errc::unsupported:
      return "unsupported";
    case Errc::out_of_range:
      return "out of range";
    case Errc::invalid_argument:
      return "invalid argument";
    case Errc::out_of_memory:
      return "out of memory";
    case Errc::unavailable:
      return "unavailable";
    case Errc::cancelled:
      return "cancelled";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

Error Error::with_prefix(std::string_view who) && {
  message.insert(0, std::string(who) + ": ");
  return std::move(*this);
}

Error Error::with_place(std::string_view where) && {
  message.append(" (").append(where).append(")");
  return std::move(*this);
}

std::string Error::to_string() const {
  return std::string(errc_name(code)) + ": " + message;
}

}  // namespace microtome
