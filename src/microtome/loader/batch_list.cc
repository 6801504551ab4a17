#include "microtome/loader/batch_list.h"

#include <algorithm>
#include <utility>

#include "microtome/base/checked.h"

namespace microtome {

Result<BatchList> BatchList::make(std::vector<std::shared_ptr<const Slide>> slides,
                                  std::shared_ptr<const std::vector<Patch>> patches,
                                  std::vector<int64_t> order, const LoaderOptions& options) {
  MICROTOME_TRY(check_options(options));
  MICROTOME_TRY(check_order(order, patches->size()));
  BatchList list;
  MICROTOME_ASSIGN(list.pixel_, check_patches(slides, *patches, options.size));
  if (!patches->empty()) MICROTOME_TRY(check_fill(options.fill, list.pixel_));
  list.slides_ = std::move(slides);
  list.patches_ = std::move(patches);
  list.order_ = std::move(order);
  list.size_ = options.size;
  list.batch_size_ = static_cast<uint64_t>(options.batch_size);
  const auto rows = static_cast<uint64_t>(list.order_.size());
  list.count_ = options.drop_last ? rows / list.batch_size_ : ceil_div(rows, list.batch_size_);
  return list;
}

uint64_t BatchList::rows_per_batch() const noexcept {
  return std::min(batch_size_, uint64_t{order_.size()});
}

std::span<const int64_t> BatchList::rows_of(uint64_t batch) const noexcept {
  const size_t first = batch * batch_size_;
  return std::span(order_).subspan(first, std::min<size_t>(batch_size_, order_.size() - first));
}

Result<RegionPlan> BatchList::plan_row(int64_t position) const {
  const Patch& patch = (*patches_)[static_cast<size_t>(position)];
  return plan_region(*slides_[patch.slide], patch.slide, patch.level, {patch.x, patch.y, size_.w, size_.h});
}

Result<std::vector<RegionPlan>> BatchList::plan_rows(uint64_t batch) const {
  const auto rows = rows_of(batch);
  std::vector<RegionPlan> regions;
  regions.reserve(rows.size());
  for (const int64_t position : rows) {
    MICROTOME_ASSIGN(RegionPlan plan, plan_row(position));
    regions.push_back(std::move(plan));
  }
  return regions;
}

}  // namespace microtome
