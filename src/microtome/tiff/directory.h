// TIFF's structure: header, directories, tags. Bytes in, plain values out.
//
// Called by the adapters in slide/. A bounded parser of our own (docs/adr): classic and BigTIFF, both byte
// orders, chains and SubIFDs, every tag type. It knows no vendors, no codecs and no pixels, and believes
// nothing it reads: every offset and count is checked against the source's size and a stated limit before it
// is used or sizes an allocation. Values are read when asked for, not at open, except for the directories
// themselves. Everything here is immutable after parse() and thread-safe. Messages say which directory and
// tag; the file's name is added by who opens it. Source: TIFF Revision 6.0; the BigTIFF extension; Adobe TIFF
// Technical Note 1 (SubIFDs).
//
// Note [Leniency]. What real writers get wrong and real readers forgive is accepted where no pixel can become
// wrong by it: entries in any order; unknown types and values beyond the end (an error only when asked for);
// directories and values at odd offsets; 64-bit types in classic files; any integer type where the
// specification wants another, as long as the value is not negative; a SubIFD offset of 0 (none); the next
// pointer of a SubIFD (not followed). Everything else that breaks the structure is refused: a chain that
// is cut would silently lose levels of a slide.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/io/byte_source.h"

namespace microtome::tiff {

enum class Type : uint16_t {
  u8 = 1,
  ascii = 2,
  u16 = 3,
  u32 = 4,
  rational = 5,
  i8 = 6,
  undefined = 7,
  i16 = 8,
  i32 = 9,
  srational = 10,
  f32 = 11,
  f64 = 12,
  ifd = 13,
  u64 = 16,
  i64 = 17,
  ifd8 = 18,
};

/// Tags that the library reads. Values: TIFF 6.0 and its registry.
namespace tag {
inline constexpr uint16_t kNewSubfileType = 254, kImageWidth = 256, kImageLength = 257, kBitsPerSample = 258,
                          kCompression = 259, kPhotometric = 262, kFillOrder = 266, kImageDescription = 270,
                          kMake = 271, kModel = 272, kStripOffsets = 273, kOrientation = 274,
                          kSamplesPerPixel = 277, kRowsPerStrip = 278, kStripByteCounts = 279,
                          kXResolution = 282, kYResolution = 283, kPlanarConfiguration = 284,
                          kResolutionUnit = 296, kSoftware = 305, kDateTime = 306, kArtist = 315,
                          kHostComputer = 316, kPredictor = 317, kColorMap = 320, kTileWidth = 322,
                          kTileLength = 323, kTileOffsets = 324, kTileByteCounts = 325, kSubIfds = 330,
                          kExtraSamples = 338, kSampleFormat = 339, kJpegTables = 347,
                          kYCbCrCoefficients = 529, kYCbCrSubSampling = 530, kReferenceBlackWhite = 532,
                          kImageDepth = 32997, kCopyright = 33432, kIccProfile = 34675;
}  // namespace tag

/// Stated limits; a file beyond one is refused with a message that names it.
struct Limits {
  /// In the chain and all SubIFDs together.
  uint32_t max_directories = 65536;
  /// Of one directory.
  uint32_t max_entries = 4096;
  /// How deep SubIFDs may nest below the chain.
  uint32_t max_sub_depth = 16;
  /// Of one value read whole, in memory (text, ICC profile, tables; 8 bytes a number); not for LazyArray.
  uint64_t max_value_bytes = 64u << 20;
  /// Of one LazyArray: 2^28 tiles of 64 x 64 cover 10^6 x 10^6 pixels, and cost at most 512 KiB of page
  /// table.
  uint64_t max_array_values = uint64_t{1} << 28;
};

/// One tag. `value_offset` is where its bytes lie, inside the entry itself when they fit there (or the type
/// is unknown).
struct Entry {
  uint16_t tag = 0;
  Type type = Type::undefined;  ///< As stored; may be a number that no enumerator has.
  uint64_t count = 0;
  uint64_t value_offset = 0;
  std::array<std::byte, 8> field{};  ///< The entry's value field as stored: a value that fits needs no read.
};

/// What a File's directories share.
struct Encoding {
  std::shared_ptr<const ByteSource> source;
  bool big_endian = false;
  bool big_tiff = false;
  Limits limits;
};

/// Bytes of the source from `offset` on, in memory.
struct Window {
  uint64_t offset = 0;
  std::vector<std::byte> bytes;
};

class Directory {
 public:
  uint64_t offset() const noexcept { return offset_; }  ///< Of the directory in the source.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  const std::vector<Directory>& sub_directories() const noexcept {
    return sub_directories_;
  }  ///< Tag 330, in order.
  const Encoding& encoding() const noexcept { return *encoding_; }
  /// The same, for what must outlive the directory.
  const std::shared_ptr<const Encoding>& shared_encoding() const noexcept { return encoding_; }

  /// The entry with this tag, or null. Where a file repeats a tag, the first.
  const Entry* find(uint16_t tag) const noexcept;
  bool has(uint16_t tag) const noexcept { return find(tag) != nullptr; }

  // All of these: not_found when the tag is absent; corrupt for another type than those named, a value that
  // passes the end of the source, or one beyond `limits`; io.

  /// The first value of an integer tag of any width. Errors: also corrupt for count 0 or a negative value.
  Result<uint64_t> unsigned_value(uint16_t tag) const;
  /// The same, or `fallback` where the tag is absent (other errors stay errors).
  Result<uint64_t> unsigned_value_or(uint16_t tag, uint64_t fallback) const;
  /// All values of an integer tag, perhaps none. Errors: also corrupt for a negative value or more than
  /// `max_count` values.
  Result<std::vector<uint64_t>> unsigned_values(uint16_t tag, uint64_t max_count) const;
  /// All values of any numeric tag as doubles (rationals divided; a zero denominator gives NaN), perhaps
  /// none. Errors: also corrupt for more than `max_count` values.
  Result<std::vector<double>> real_values(uint16_t tag, uint64_t max_count) const;
  /// The first of them. Errors: also corrupt for count 0.
  Result<double> real_value(uint16_t tag) const;
  /// The bytes of an ASCII (or byte, or undefined) tag up to its first NUL, in whatever encoding the file
  /// used; not validated.
  Result<std::string> text(uint16_t tag) const;
  /// The value's bytes as stored, for any known type.
  Result<Bytes> bytes(uint16_t tag) const;

 private:
  friend class Parser;
  std::shared_ptr<const Encoding> encoding_;
  uint64_t offset_ = 0;
  std::vector<Entry> entries_;  // in file order
  Window window_;               // itself and what came with it; or nothing: see parse()
  std::vector<Directory> sub_directories_;
};

struct File {
  std::shared_ptr<const Encoding> encoding;
  std::vector<Directory> directories;  ///< The main chain, in order; SubIFDs hang below theirs.
};

/// Whether the first bytes are a TIFF or BigTIFF header (8 bytes are enough).
bool is_tiff(std::span<const std::byte> head) noexcept;

/// Reads the header and every directory: one read for the header, and one or two for each directory. What
/// came with a directory is kept with it, up to 1 MiB in all, so that values among it need no read.
/// Errors: corrupt (not a TIFF, no directory, a directory cut or beyond the end, one that is reached twice,
/// directories that overlap, limits); io.
Result<File> parse(std::shared_ptr<const ByteSource> source, const Limits& limits = {});

}  // namespace microtome::tiff
