#include "microtome/codec/for_test/differential.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "microtome/codec/for_test/memory_sanitizer.h"

namespace microtome::test {
namespace {

constexpr std::byte kUntouched{0xA5};
constexpr size_t kLeastCapacity = size_t{4} << 20;

Rect random_part(Size size, Random& random) {
  if (random.one_in(6)) return {0, 0, size.w, size.h};
  const int64_t x = random.below(size.w), y = random.below(size.h);
  if (random.one_in(4)) return {0, y, size.w, 1 + random.below(size.h - y)};
  return {x, y, 1 + random.below(size.w - x), 1 + random.below(size.h - y)};
}

std::string text_of(const Status& status) {
  std::string text = status.ok() ? "pixels" : status.error().to_string();
  written_unseen(text.data(), text.size());  // by fmt
  return text;
}

// An integer sample; of other types their bits.
int64_t value_of(const std::byte* at, SampleType type) {
  const auto read = [at]<class T>(T value) {
    std::memcpy(&value, at, sizeof value);
    return static_cast<int64_t>(value);
  };
  switch (type) {
    case SampleType::i8:
      return read(int8_t{});
    case SampleType::i16:
      return read(int16_t{});
    case SampleType::i32:
      return read(int32_t{});
    default:
      break;
  }
  switch (sample_bytes(type)) {
    case 1:
      return read(uint8_t{});
    case 2:
      return read(uint16_t{});
    case 4:
      return read(uint32_t{});
    default:
      return read(int64_t{});
  }
}

size_t pixel_bytes(const TileFormat& format) {
  return ImageView{nullptr, {1, 1}, 0, format.samples, format.type}.pixel_bytes();
}

}  // namespace

Request whole_tile(const TileFormat& format) {
  return {{{0, 0, format.size.w, format.size.h}}, 0, Stores::cached, 0, true};
}

Request random_request(const TileFormat& format, Random& random, uint8_t reduce) {
  Request request;
  request.reduce = reduce;
  for (int n = random.one_in(2) ? 1 : random.between(1, 4); n > 0; --n) {
    request.parts.push_back(random_part(reduced_size(format.size, reduce), random));
  }
  request.stores = random.one_in(3) ? Stores::streaming : Stores::cached;
  const auto row = static_cast<int>(request.parts[0].w * format.samples);
  const int gaps[] = {0, 0, random.below(70), (64 - row % 64) % 64};
  request.row_gap = random.pick(gaps);
  request.at_end = random.one_in(2);
  return request;
}

void Differential::grow(std::unique_ptr<GuardedMemory>& memory, size_t size) {
  if (memory && memory->capacity() >= size) return;
  memory = std::make_unique<GuardedMemory>(std::max(size, kLeastCapacity));
}

std::span<std::byte> Differential::place(GuardedMemory& memory, size_t size) const {
  return request_.at_end ? memory.at_end(size) : memory.at_start(size);
}

// One part behind the other, rows with gaps, nothing behind the last row of all.
void Differential::lay_out() {
  parts_.clear();
  size_ = 0;
  const auto gap = static_cast<size_t>(request_.row_gap);
  for (const Rect& part : request_.parts) {
    const size_t row = static_cast<size_t>(part.w) * pixel_bytes(format_);
    parts_.push_back({size_, row + gap, row});
    size_ += (row + gap) * static_cast<size_t>(part.h);
  }
  size_ -= gap;
}

const Status& Differential::expect(std::span<const std::byte> packed, const TileFormat& format,
                                   const Request& request) {
  format_ = format;
  request_ = request;
  lay_out();
  grow(input_, packed.size());
  packed_ = place(*input_, packed.size());
  std::copy(packed.begin(), packed.end(), packed_.begin());

  std::vector<TilePart> parts;
  for (const Rect& part : request.parts) parts.push_back({part, {}});
  bounds_ = Want{parts}.bounds();
  ImageView view{nullptr, bounds_.size(), 0, format_.samples, format_.type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  pixels_.resize(view.row_bytes() * static_cast<size_t>(bounds_.h));
  view.data = pixels_.data();
  const TilePart all{bounds_, view};
  expected_ = library_(packed, format_, {{&all, 1}, Stores::cached, request.reduce}).status;
  written_unseen(pixels_.data(), pixels_.size());
  return expected_;
}

std::string Differential::difference_from(std::span<const std::byte> pixels, Size size) const {
  const size_t pixel = pixel_bytes(format_), row = static_cast<size_t>(bounds_.w) * pixel;
  for (int64_t y = 0; y < bounds_.h; ++y) {
    const auto first = static_cast<size_t>((bounds_.y + y) * size.w + bounds_.x) * pixel;
    if (std::memcmp(pixels.data() + first, pixels_.data() + static_cast<size_t>(y) * row, row) != 0) {
      return fmt::format("row {} of {},{} {}x{} is not that of the whole image", y, bounds_.x, bounds_.y,
                         bounds_.w, bounds_.h);
    }
  }
  return {};
}

Outcome Differential::check(const Subject& subject, int tolerance) {
  grow(output_, size_);
  const std::span<std::byte> output = place(*output_, size_);
  std::fill(output.begin(), output.end(), kUntouched);
  std::vector<TilePart> parts;
  for (size_t i = 0; i < request_.parts.size(); ++i) {
    const Rect& part = request_.parts[i];
    parts.push_back({part,
                     {output.data() + parts_[i].offset, part.size(), static_cast<int64_t>(parts_[i].stride),
                      format_.samples, format_.type}});
  }
  for (const TilePart& part : parts) {
    for (int64_t y = 0; y < part.src.h; ++y) not_written_yet(part.dst.row(y), part.dst.row_bytes());
  }
  const Answer answer = subject(packed_, format_, {parts, request_.stores, request_.reduce});
  if (std::string outside = written_outside(output); !outside.empty()) return {Verdict::differs, outside};
  if (answer.declined) return {Verdict::declined, {}};
  if (answer.unseen) written_unseen(output.data(), output.size());
  if (text_of(answer.status) != text_of(expected_)) {
    return {Verdict::differs,
            fmt::format("gives {}, the library {}", text_of(answer.status), text_of(expected_))};
  }
  if (!expected_.ok()) return {};
  std::string difference = compare(output, tolerance);
  return {difference.empty() ? Verdict::equal : Verdict::differs, difference};
}

// Bytes between rows belong to somebody else.
std::string Differential::written_outside(std::span<const std::byte> output) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    for (int64_t y = 0; y < request_.parts[i].h; ++y) {
      const auto end =
          output.begin() + static_cast<ptrdiff_t>(parts_[i].offset +
                                                  static_cast<size_t>(y) * parts_[i].stride + parts_[i].row);
      const bool last = i + 1 == parts_.size() && y + 1 == request_.parts[i].h;
      if (std::any_of(end, end + (last ? 0 : request_.row_gap),
                      [](std::byte b) { return b != kUntouched; })) {
        return fmt::format("bytes behind row {} of part {} are written", y, i);
      }
    }
  }
  return {};
}

// All samples are looked at, for the counts; the first that is too far apart is told.
std::string Differential::compare(std::span<const std::byte> output, int tolerance) {
  const size_t pixel = pixel_bytes(format_), bounds_row = static_cast<size_t>(bounds_.w) * pixel;
  const size_t sample = sample_bytes(format_.type);
  std::string first;
  for (size_t i = 0; i < request_.parts.size(); ++i) {
    const Rect& part = request_.parts[i];
    for (int64_t y = 0; y < part.h; ++y) {
      const std::byte* const found =
          output.data() + parts_[i].offset + static_cast<size_t>(y) * parts_[i].stride;
      const std::byte* const expected = pixels_.data() +
                                        static_cast<size_t>(part.y - bounds_.y + y) * bounds_row +
                                        static_cast<size_t>(part.x - bounds_.x) * pixel;
      if (std::memcmp(found, expected, parts_[i].row) == 0) {
        apart_[0] += static_cast<int64_t>(parts_[i].row / sample);
        continue;
      }
      for (size_t at = 0; at < parts_[i].row; at += sample) {
        const int64_t ours = value_of(found + at, format_.type),
                      theirs = value_of(expected + at, format_.type);
        const int64_t apart = std::min<int64_t>(std::abs(ours - theirs), 2);
        ++apart_[static_cast<size_t>(apart)];
        if (apart > tolerance && first.empty()) {
          first =
              fmt::format("sample {} of pixel {},{} of the tile is {}, the library's {}", at % pixel / sample,
                          part.x + static_cast<int64_t>(at / pixel), part.y + y, ours, theirs);
        }
      }
    }
  }
  return first;
}

}  // namespace microtome::test
