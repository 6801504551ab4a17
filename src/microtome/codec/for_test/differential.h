// One request for one stream, answered by a library and by a decoder under test: the answers must be equal,
// and nothing outside of the input and the output may be touched. For tests only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/for_test/guarded_memory.h"
#include "microtome/codec/for_test/random.h"

namespace microtome::test {

struct Request {
  std::vector<Rect> parts;  ///< In pixels of the reduced tile.
  uint8_t reduce = 0;       ///< At 1 / 2^reduce of the tile's resolution.
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
  bool unseen = false;  ///< Pixels may be a library's, whose writes the memory sanitizer does not see.
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
  /// `library`: the judge, which never declines.
  explicit Differential(Subject library) : library_(std::move(library)) {}

  /// What the library answers, kept for check().
  const Status& expect(std::span<const std::byte> packed, const TileFormat& format, const Request& request);
  const Status& expected() const { return expected_; }

  /// Where the library's answer is not a crop of the image `pixels`, its first difference; else empty.
  std::string difference_from(std::span<const std::byte> pixels, Size size) const;

  /// `subject`'s answer to the same request. It may decline; else its status must be the library's, to the
  /// letter, and no sample may be more than `tolerance` apart from the library's.
  Outcome check(const Subject& subject, int tolerance = 0);

  /// Samples that check() compared so far: equal, 1 apart, more apart.
  const std::array<int64_t, 3>& apart() const { return apart_; }

 private:
  struct Part {
    size_t offset, stride, row;
  };
  void lay_out();
  void grow(std::unique_ptr<GuardedMemory>& memory, size_t size);
  std::span<std::byte> place(GuardedMemory& memory, size_t size) const;
  std::string written_outside(std::span<const std::byte> output) const;
  std::string compare(std::span<const std::byte> output, int tolerance);

  Subject library_;
  std::unique_ptr<GuardedMemory> input_, output_;
  std::span<std::byte> packed_;
  TileFormat format_;
  Request request_;
  std::vector<Part> parts_;
  size_t size_ = 0;
  Status expected_ = ok_status();
  std::vector<std::byte> pixels_;  // of the parts' bounds
  Rect bounds_;
  std::array<int64_t, 3> apart_{};
};

}  // namespace microtome::test
