// One tile, from its bytes in the file to its slot, on the CPU.
//
// Called by the CPU backend's threads and, for what a backend leaves over, by the pipeline. JPEG tiles become
// planes, which need half the memory and copying of pixels and leave upsampling and colours to the device;
// all else becomes pixels. Knows one tile; nothing of steps, batches or the device. One thread, one worker.
#pragma once

#include <span>

#include "microtome/base/bytes.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/read_options.h"
#include "microtome/read/worker.h"

namespace microtome::gpu {

/// Bytes of a slot of pixels of this size. Sides are positive. Past 2^62 it says that.
size_t pixel_slot_bytes(const TileFormat& format, Size size) noexcept;

/// Fetches and decodes the job's tile into its room, and says in the tile what became of it: `elsewhere`
/// where the room is too small. Where the whole part cannot be decoded, what the batch needs of it may be.
///
/// `next`      as fetch_tile()'s.
/// `counters`  unowned; may be null.
void decode_tile(const TileJob& job, Worker& worker, std::span<const ByteRange> next, ReadCounters* counters);

}  // namespace microtome::gpu
