// One request for one stream, answered by OpenJPEG and by a decoder under test: the answers must be equal,
// and nothing outside of the input and the output may be touched. For tests only.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg/for_test/differential.h"
#include "microtome/codec/jpeg/for_test/guarded_memory.h"
#include "microtome/codec/jpeg2000/library.h"

namespace microtome::jpeg2000::test {

using jpeg::test::GuardedMemory;
using jpeg::test::Outcome;
using jpeg::test::Random;
using jpeg::test::random_request;
using jpeg::test::Request;
using jpeg::test::Subject;
using jpeg::test::Verdict;
using jpeg::test::whole_tile;

/// YCbCr that is to be given as RGB.
bool is_ycbcr(const TileFormat& format);

/// Not thread-safe.
class Differential {
 public:
  /// What the library answers, kept for check().
  const Status& expect(std::span<const std::byte> packed, const TileFormat& format, const Request& request);

  /// `subject`'s answer to the same request. It may decline; else its status must be the library's, to the
  /// letter, and no sample may be more than `tolerance` apart from the library's.
  Outcome check(const Subject& subject, int tolerance);

  /// Samples that check() compared so far: equal, 1 apart, more apart (or of more than a byte and not equal).
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

  LibraryDecoder library_;
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

}  // namespace microtome::jpeg2000::test
