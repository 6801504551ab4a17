// What is known of types and tags without looking at a file.
#pragma once

#include <cstdint>
#include <string>

#include "microtome/tiff/directory.h"

namespace microtome::tiff {

/// Bytes of one value: 1, 2, 4 or 8; 0 for a type that we do not know.
uint32_t type_size(Type type) noexcept;

/// Any width, signed or not, including the directory offsets (IFD, IFD8); not UNDEFINED and not ASCII.
bool is_integer(Type type) noexcept;

/// "LONG", as the specifications name it; "unknown type 99".
std::string type_name(Type type);

/// "tag 256 (ImageWidth)"; "tag 65000" for what has no name in directory.h.
std::string tag_name(uint16_t tag);

}  // namespace microtome::tiff
