// What is said of a tile that could not be read, and which of these failures concern one tile alone.
//
// Shared by the ways to read: into memory (batch_read.h) and onto a device (gpu/). Pure functions.
#pragma once

#include <optional>
#include <string>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/plan/region.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// "tile 14,3 level 0, bytes 8123904+20110, a.svs"
std::string place_name(const Slide& slide, const TileKey& tile, const std::optional<ByteRange>& bytes);

/// See Note [What on_error fill forgives] in batch_read.h.
bool forgivable(Errc code) noexcept;

}  // namespace microtome
