// An image that a file keeps among its metadata: a JPEG stream, as base64 in XML.
//
// Called by adapters. Nothing is decoded here; of the stream only its header is looked at, for what the
// layers above must know of any image. Pure functions. Source: RFC 4648 section 4; ITU-T T.81 annex B;
// libjpeg's rules for the colours of a stream without a container (libjpeg.txt, "Special color spaces").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// Characters that are not of the alphabet are skipped, as MIME has it (RFC 2045 section 6.8): line ends, and
/// what writers put there by mistake. Errors: corrupt for half a group, and for more behind the padding.
Result<std::vector<std::byte>> decode_base64(std::string_view text);

/// `stream`, a whole JPEG, as an image of one tile whose bytes are at `offset`. Errors: corrupt for what is
/// no JPEG; unsupported for other than 1 or 3 components of 8 bits, or more pixels than a tile may have.
Result<std::unique_ptr<TileGrid>> make_jpeg_grid(std::span<const std::byte> stream, uint64_t offset);

}  // namespace microtome
