// One request for one stream, answered by libjpeg-turbo and by a decoder under test: the answers must be
// equal, and nothing outside of the input and the output may be touched. For tests only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg/for_test/guarded_memory.h"
#include "microtome/codec/jpeg/for_test/random.h"
#include "microtome/codec/jpeg/library.h"

namespace microtome::jpeg::test {

struct Request {
  std::vector<Rect> parts;  ///< In pixels of the reduced tile.
  uint8_t reduce = 0;       ///< At 1 / 2^reduce of the tile's resolution: 0 to 3.
  Stores stores = Stores::cached;
  int row_gap = 0;     ///< Bytes between the rows of a part.
  bool at_end = true;  ///< Input and output end at a forbidden page; otherwise they begin at one.
};

/// The whole tile in one part.
Request whole_tile(const TileFormat& format);
/// One to four parts anywhere in the tile, with strides and stores of all kinds.
Request random_request(const TileFormat& format, Random& random, uint8_t reduce = 0);

struct Answer {
  bool declined = false;
  Status status = ok_status();
  bool unseen = false;  ///< Pixels may be the library's, whose writes the memory sanitizer does not see.
};
using Subject = std::function<Answer(std::span<const std::byte> packed, const TileFormat&, const Want&)>;

enum class Verdict : uint8_t { equal, declined, differs };

struct Outcome {
  Verdict verdict = Verdict::equal;
  std::string difference;  ///< What differs, where it does.
};

/// Not thread-safe.
class Differential {
 public:
  /// What the library answers, kept for check().
  const Status& expect(std::span<const std::byte> packed, const TileFormat& format, const Request& request);
  const Status& expected() const { return expected_; }

  /// Where the library's answer is not a crop of the image `pixels`, its first difference; else empty.
  std::string difference_from(std::span<const std::byte> pixels, Size size) const;

  /// `subject`'s answer to the same request. It may decline; else its status must be the library's, to the
  /// letter, and so must the pixels.
  Outcome check(const Subject& subject);

 private:
  struct Layout {
    std::vector<size_t> offset, stride, row;
    size_t size = 0;
  };
  void lay_out();
  std::span<std::byte> place(GuardedMemory& memory, size_t size) const;
  std::string compare(std::span<const std::byte> output, bool with_pixels) const;
  void grow(std::unique_ptr<GuardedMemory>& memory, size_t size);

  LibraryDecoder library_;
  std::unique_ptr<GuardedMemory> input_, output_;
  std::span<std::byte> packed_;
  TileFormat format_;
  Request request_;
  Layout layout_;
  Status expected_ = ok_status();
  std::vector<std::byte> pixels_;  // of the parts' bounds
  Rect bounds_;
};

}  // namespace microtome::jpeg::test
