// Samples as TIFF stores them and memory does not: fewer bits than a type has, bits from the lowest, planes
// of bytes.
//
// Called by byte_decoder.cc, for one row at a time. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"

namespace microtome {

/// Bytes of one stored row: samples lie side by side, and a row begins with a byte of its own (TIFF 6.0 page
/// 30).
size_t stored_row_bytes(const TileFormat& format) noexcept;

/// Whether samples are stored in fewer bits than their type has.
bool is_packed(const TileFormat& format) noexcept;

/// `unsupported` where samples are packed in a way that unpack_samples does not know: it knows integers of up
/// to 31 bits, and floating-point numbers of 24.
Status check_packed(const TileFormat& format);

/// The samples `first` to `first + count` of a packed row, in the machine's byte order. They are stored from
/// each byte's highest bit on, signed ones in two's complement; those of 24 bits are numbers of three bytes,
/// in the file's byte order, and as floating-point numbers have a sign, 7 bits of exponent and 16 of fraction
/// (Adobe TIFF Technical Note 3). `to` count samples of format.type.
void unpack_samples(const std::byte* row, const TileFormat& format, size_t first, size_t count,
                    std::byte* to);

/// Reverses the bits of each byte, for TIFF's FillOrder 2. `from` may be `to`.
void reverse_bits(std::span<const std::byte> from, std::byte* to);

/// Undoes TIFF's floating-point predictor (Adobe TIFF Technical Note 3) of 16, 24, 32 or 64 bits: differences
/// of bytes, over a row that holds the highest bytes of all samples first, then the next ones. `row`   the
/// whole row, in place of which the bytes' sums are left. `to`    the pixels `first` to `first + count`, in
/// the machine's byte order.
void unpredict_float(std::span<std::byte> row, const TileFormat& format, size_t first, size_t count,
                     std::byte* to);

}  // namespace microtome
