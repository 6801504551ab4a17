// A scan as chunks of a few MCUs with whole coefficients: what stands around the symbol machine. Restart
// intervals, DC predictions, and MCUs that repeat the colour before them.
//
// Included by tile-inl.h and compiled once per instruction set.
//
// Note [Blank MCUs]
// On mostly white slides most MCUs say nothing: no difference in DC, no AC. Their bits are the same each
// time, 12 to 24 of them, so that one comparison takes a whole MCU.
#if defined(MICROTOME_CODEC_JPEG_SCAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_SCAN_INL_H_
#undef MICROTOME_CODEC_JPEG_SCAN_INL_H_
#else
#define MICROTOME_CODEC_JPEG_SCAN_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "microtome/codec/jpeg/entropy-inl.h"
#include "microtome/codec/jpeg/tile_job.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

static_assert(kScanPadding >= kMaxSlots * 209 + 64);

class Scan {
 public:
  // `coefficients`: kMaxGroups groups, all zeros.
  Scan(const TileJob& job, int16_t* coefficients);

  // How many MCUs from here on are blank, at most `limit`; they are read past.
  int64_t skip_blank(int64_t limit);

  // Decodes `mcus` MCUs as one chunk, of which the first `blank` were read by skip_blank(). Afterwards the
  // groups hold their quantised coefficients; with `keep` false, zeros again. False: decline.
  bool decode_chunk(int mcus, int blank, bool keep);

  // Whether no bits were used but the segment's: blank MCUs are read past without looking.
  bool is_inside() const { return end_of_used(machine_) <= segment_end_; }

  // Whether all bytes of all segments were used, and no others.
  bool at_end() const { return segment_ + 1 == segments_.size() && at_segment_end(); }

  // The last MCU's DC coefficients, which are a blank MCU's.
  const std::array<int, 3>& predictions() const { return prediction_; }

 private:
  void make_slots(const TileJob& job, int16_t* coefficients);
  void make_blank(const TileJob& job);
  void set_keeping(bool keep);
  void begin_segment();
  bool next_segment();
  bool at_segment_end() const { return end_of_used(machine_) == segment_end_; }
  bool take_blank();
  void set_blank(int mcu);
  bool decode_mcus(int begin, int end, bool keep);
  void sum_differences(int begin, int end, bool keep);

  Machine machine_;
  std::span<const uint32_t> segments_;  // where each segment ends, from bytes_
  const uint8_t* bytes_;
  const uint8_t* segment_end_ = nullptr;
  size_t segment_ = 0;
  int64_t restart_interval_, until_restart_;
  int blocks_, luma_blocks_;
  std::array<int, 3> prediction_{};
  uint64_t blank_bits_ = 0;
  int blank_length_ = 0;  // 0: the tables have no blank MCU, or it does not fit
  bool keeps_ = true;     // whether the slots take more than DC
  std::array<BlockSlot, kMaxSlots + 1> slots_{};
};

inline Scan::Scan(const TileJob& job, int16_t* coefficients)
    : segments_(job.scan->ends),
      bytes_(job.scan->data),
      restart_interval_(job.restart_interval > 0 ? int64_t{job.restart_interval}
                                                 : std::numeric_limits<int64_t>::max()),
      blocks_(job.layout.blocks),
      luma_blocks_(job.layout.component[0].h * job.layout.component[0].v) {
  make_slots(job, coefficients);
  make_blank(job);
  machine_.next = bytes_;
  begin_segment();
}

// Group g of a component holds its blocks 4g…4g + 3 of a chunk, row of blocks by row of blocks.
inline void Scan::make_slots(const TileJob& job, int16_t* coefficients) {
  BlockSlot* const slots = slots_.data();
  BlockSlot* slot = slots;
  const int chunk = job.layout.chunk_mcus;
  for (int mcu = 0; mcu < chunk; ++mcu) {
    for (size_t c = 0; c < static_cast<size_t>(job.layout.components); ++c) {
      const ComponentLayout& component = job.layout.component[c];
      for (int b = 0; b < component.h * component.v; ++b, ++slot) {
        const int column = mcu * component.h + b % component.h;
        const int group = (component.first_slot + b / component.h * component.h) * chunk / 4 + column / 4;
        int16_t* const corner = coefficients + static_cast<size_t>(group) * kGroupSize + column % 4 * 8;
        *slot = {&job.tables[c]->ac, nullptr, corner, kZigzag.places.data(), job.tables[c]};
      }
    }
  }
  for (BlockSlot* s = slots; s < slot; ++s) {
    s->next_dc = &(s + 1 < slot ? s[1] : *slots).tables->dc;
  }
  // Behind the last block of a chunk the machine looks up the stop table once, and stores zeros.
  *slot = *slots;
  slot->coefficients = coefficients + static_cast<size_t>(kMaxGroups - 1) * kGroupSize;
}

inline void Scan::set_keeping(bool keep) {
  keeps_ = keep;
  for (BlockSlot& slot : slots_) slot.zigzag = (keep ? kZigzag : kDcOnly).places.data();
}

inline void Scan::make_blank(const TileJob& job) {
  for (size_t c = 0; c < static_cast<size_t>(job.layout.components); ++c) {
    const ComponentLayout& component = job.layout.component[c];
    const BlankCode& blank = job.tables[c]->blank;
    for (int b = 0; b < component.h * component.v; ++b) {
      if (blank.length == 0 || blank_length_ + blank.length > 56) {
        blank_length_ = 0;
        return;
      }
      blank_bits_ = blank_bits_ << blank.length | blank.bits;
      blank_length_ += blank.length;
    }
  }
}

inline void Scan::begin_segment() {
  segment_end_ = bytes_ + segments_[segment_];
  until_restart_ = restart_interval_;
  prediction_ = {};
  machine_.bits = machine_.count = 0;
  refill(machine_);
}

inline bool Scan::next_segment() {
  if (!at_segment_end() || segment_ + 1 == segments_.size()) return false;
  ++segment_;
  machine_.next = segment_end_;
  begin_segment();
  return true;
}

// At least 56 bits count whenever this is called.
HWY_INLINE bool Scan::take_blank() {
  if (blank_length_ == 0 || machine_.bits >> (64 - blank_length_) != blank_bits_) return false;
  consume(machine_, static_cast<uint64_t>(blank_length_));
  refill(machine_);
  --until_restart_;
  return true;
}

inline int64_t Scan::skip_blank(int64_t limit) {
  if (blank_length_ == 0) return 0;
  limit = std::min(limit, until_restart_);
  int64_t n = 0;
  // The bits behind the scan's end may look like blank MCUs too: the position keeps the run inside it.
  while (n < limit && machine_.next <= segment_end_ + 8 && take_blank()) ++n;
  return n;
}

inline void Scan::set_blank(int mcu) {
  const BlockSlot* const slot = slots_.data() + mcu * blocks_;
  for (int b = 0; b < luma_blocks_; ++b) slot[b].coefficients[0] = static_cast<int16_t>(prediction_[0]);
  if (blocks_ == luma_blocks_) return;
  slot[luma_blocks_].coefficients[0] = static_cast<int16_t>(prediction_[1]);
  slot[luma_blocks_ + 1].coefficients[0] = static_cast<int16_t>(prediction_[2]);
}

inline bool Scan::decode_chunk(int mcus, int blank, bool keep) {
  for (int i = 0; keep && i < blank; ++i) set_blank(i);
  for (int i = blank; i < mcus;) {
    if (until_restart_ == 0 && !next_segment()) return false;
    const int end = static_cast<int>(std::min<int64_t>(mcus, i + until_restart_));
    for (; i < end && take_blank(); ++i) {
      if (keep) set_blank(i);
    }
    if (i < end && !decode_mcus(i, end, keep)) return false;
    i = end;
  }
  return is_inside();
}

inline bool Scan::decode_mcus(int begin, int end, bool keep) {
  BlockSlot* const last = slots_.data() + end * blocks_ - 1;
  const Lookup* const next_dc = last->next_dc;
  if (keep != keeps_) set_keeping(keep);
  machine_.slot = slots_.data() + begin * blocks_;
  machine_.table = &machine_.slot->tables->dc;
  machine_.position = machine_.slot->zigzag;
  last->next_dc = &kStopTable;
  const bool decoded = decode_blocks(machine_, last + 1);
  last->next_dc = next_dc;
  if (!decoded || end_of_used(machine_) > segment_end_) return false;
  refill(machine_);
  until_restart_ -= end - begin;
  sum_differences(begin, end, keep);
  // Far beyond what a stream can mean, and far below where sums would overflow.
  constexpr int kFar = 1 << 24;
  return std::all_of(prediction_.begin(), prediction_.end(), [](int p) { return p > -kFar && p < kFar; });
}

// DC coefficients are coded as differences to the block before, of the same component (T.81 F.1.1.5.1).
inline void Scan::sum_differences(int begin, int end, bool keep) {
  auto [p0, p1, p2] = prediction_;
  const BlockSlot* slot = slots_.data() + begin * blocks_;
  const auto add = [keep](int16_t* dc, int& p) {
    p += *dc;
    *dc = static_cast<int16_t>(keep ? p : 0);
  };
  for (int mcu = begin; mcu < end; ++mcu, slot += blocks_) {
    for (int b = 0; b < luma_blocks_; ++b) add(slot[b].coefficients, p0);
    if (blocks_ == luma_blocks_) continue;
    add(slot[luma_blocks_].coefficients, p1);
    add(slot[luma_blocks_ + 1].coefficients, p2);
  }
  prediction_ = {p0, p1, p2};
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // MICROTOME_CODEC_JPEG_SCAN_INL_H_
