// Which patches each batch of a pass has: what the loaders onto host and device share.
//
// Made once for each pass, with every argument checked. Plans regions; reads nothing. Immutable and so
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/loader/check.h"
#include "microtome/loader/loader.h"
#include "microtome/plan/region.h"
#include "microtome/slide/slide.h"

namespace microtome {

class BatchList {
 public:
  /// Errors: Loader::open's.
  static Result<BatchList> make(std::vector<std::shared_ptr<const Slide>> slides,
                                std::shared_ptr<const std::vector<Patch>> patches, std::vector<int64_t> order,
                                const LoaderOptions& options);

  uint64_t count() const noexcept { return count_; }           ///< Of batches.
  size_t row_count() const noexcept { return order_.size(); }  ///< Of patches in the order.
  uint64_t rows_per_batch() const noexcept;                    ///< Of the largest batch.
  const PixelKind& pixel() const noexcept { return pixel_; }
  const std::vector<std::shared_ptr<const Slide>>& slides() const noexcept { return slides_; }
  const std::vector<Patch>& patches() const noexcept { return *patches_; }

  /// Positions in the list of patches, in order.
  std::span<const int64_t> rows_of(uint64_t batch) const noexcept;
  Result<RegionPlan> plan_row(int64_t position) const;
  /// One for each row of a batch.
  Result<std::vector<RegionPlan>> plan_rows(uint64_t batch) const;

 private:
  BatchList() = default;

  std::vector<std::shared_ptr<const Slide>> slides_;
  std::shared_ptr<const std::vector<Patch>> patches_;
  std::vector<int64_t> order_;
  Size size_;
  uint64_t batch_size_ = 1, count_ = 0;
  PixelKind pixel_;
};

}  // namespace microtome
