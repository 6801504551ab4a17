// Our JPEG and JPEG 2000 decoders against libjpeg-turbo and OpenJPEG on the tiles of slides, one thread,
// every instruction set.
//
//     microtome_tile_race [--rounds N] [--only TARGET] [--recode WHAT]... [--reduce N]... SLIDE...
//
// All tiles of level 0 are decoded into one strided level that is reused, by everyone in turn, and the median
// over rounds of our time of work divided by the library's in the same round is printed: plain stores, then
// stores past the caches (JPEG only). `--only avx2` leaves out other instruction sets. `--reduce 1` races
// each slide at half its resolution too (JPEG 2000 only).
//
// `--recode` makes tiles of 256 pixels from the first slide's pixels, and lets them race too: `75:420` JPEG
// of that quality and sampling (444, 422, 440, 420) with tables of their own; `5/3` reversible JPEG 2000;
// `white` and `grey` JPEG 2000 of that colour alone, the second of which no code-block contributes to. Pixels
// are compared first: those of JPEG 2000 may be 1 apart (9/7 in floats), but not one in a thousand of them.
#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "floors/clock.h"
#include "floors/die.h"
#include "floors/jpeg2000_encoder.h"
#include "floors/mapped_image.h"
#include "floors/memory.h"
#include "floors/tile_decoder.h"
#include "microtome/codec/codec.h"
#include "microtome/simd/targets.h"

namespace floors {
namespace {

using microtome::Stores;

/// Tiles of one format, and where each goes in the level.
struct Course {
  std::string name;
  microtome::TileFormat format;
  std::vector<std::vector<std::byte>> made;  // what `packed` borrows from, where it is not a file's
  std::vector<std::span<const std::byte>> packed;
  std::vector<Target> places;
  Memory level;
  uint8_t reduce = 0;
  double pixels = 0;

  /// `size` of the level, reduced as tiles are.
  void lay_out(microtome::Size size) {
    const auto samples = static_cast<int64_t>(format.samples);
    const auto [w, h] = microtome::reduced_size(format.size, reduce);
    level = Memory(static_cast<size_t>(size.w * size.h * samples), Pages::large_touched);
    const int64_t across = (size.w + w - 1) / w;
    for (size_t i = 0; i < packed.size(); ++i) {
      const int64_t x = static_cast<int64_t>(i) % across * w, y = static_cast<int64_t>(i) / across * h;
      places.push_back({level.data() + (y * size.w + x) * samples, std::min(w, size.w - x),
                        std::min(h, size.h - y), size.w * samples});
    }
    pixels = static_cast<double>(size.w * size.h);
  }
};

Course course_of(const MappedImage& image, const std::string& path, int reduce) {
  Course course;
  course.name = path.substr(path.rfind('/') + 1);
  if (reduce != 0) course.name += fmt::format(" 1/{}", 1 << reduce);
  course.reduce = static_cast<uint8_t>(reduce);
  course.format = image.grid->format;
  for (const auto& tile : image.tiles) {
    if (tile.empty()) die("{}: a level with absent tiles is no course", path);
    course.packed.push_back(tile);
  }
  // Tiles are reduced one by one, and the last ones of a row and column are wider than what is shown.
  const auto [w, h] = microtome::reduced_size(course.format.size, reduce);
  const microtome::Size shown = microtome::reduced_size(image.size(), reduce);
  const microtome::Size tiles{(image.size().w + course.format.size.w - 1) / course.format.size.w,
                              (image.size().h + course.format.size.h - 1) / course.format.size.h};
  course.lay_out(reduce == 0 ? shown : microtome::Size{tiles.w * w, tiles.h * h});
  return course;
}

bool is_jpeg(const Course& course) {
  return course.format.compression == microtome::Compression::jpeg;
}

class Racer {
 public:
  virtual ~Racer() = default;
  virtual void run(const Course& course) = 0;
};

class Library final : public Racer {
 public:
  explicit Library(const Course& course)
      : tiles_(is_jpeg(course) ? make_jpeg_decoder(course.format)
                               : make_jpeg2000_decoder(course.format, course.reduce)) {}
  void run(const Course& course) override {
    for (size_t i = 0; i < course.packed.size(); ++i) tiles_->decode(course.packed[i], course.places[i]);
  }

 private:
  std::unique_ptr<TileDecoder> tiles_;
};

class Ours final : public Racer {
 public:
  Ours(const Course& course, std::string_view target, Stores stores)
      : decoder_((*microtome::find_codec(course.format).value()->make)().value()),
        target_(target),
        stores_(stores) {}

  void run(const Course& course) override {
    const microtome::simd::TargetForTest use(target_);
    for (size_t i = 0; i < course.packed.size(); ++i) {
      const Target& to = course.places[i];
      const microtome::TilePart part{{0, 0, to.w, to.h},
                                     {reinterpret_cast<std::byte*>(to.data),
                                      {to.w, to.h},
                                      to.stride,
                                      course.format.samples,
                                      microtome::SampleType::u8}};
      const auto status =
          decoder_->decode(course.packed[i], course.format, {{&part, 1}, stores_, course.reduce});
      if (!status.ok()) die("{}: tile {}: {}", course.name, i, status.error().to_string());
    }
  }

  uint64_t left_to_library() const { return decoder_->decoded_by().library; }

 private:
  std::unique_ptr<microtome::Decoder> decoder_;
  std::string target_;
  Stores stores_;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double timed(Racer& racer, const Course& course, int laps) {
  const WorkClock clock;
  for (int i = 0; i < laps; ++i) racer.run(course);
  return clock.seconds() / laps;
}

std::vector<uint8_t> level_after(Racer& racer, const Course& course) {
  std::memset(course.level.data(), 0x5A, course.level.size());
  racer.run(course);
  return {course.level.data(), course.level.data() + course.level.size()};
}

bool same_pixels(const std::vector<uint8_t>& found, const std::vector<uint8_t>& expected, bool exact) {
  if (exact) return found == expected;
  size_t apart = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const int difference = std::abs(found[i] - expected[i]);
    if (difference > 1) return false;
    apart += static_cast<size_t>(difference);
  }
  return apart * 1000 < found.size();
}

void race(const Course& course, int rounds, std::string_view only) {
  Library library(course);
  const std::vector<uint8_t> expected = level_after(library, course);
  const int laps = std::max(1, static_cast<int>(0.03 / timed(library, course, 1)));
  std::vector<std::pair<std::string, std::unique_ptr<Ours>>> ours;
  for (const std::string_view target : microtome::simd::target_choice().available) {
    if (!only.empty() && target != only) continue;
    for (const Stores stores : {Stores::cached, Stores::streaming}) {
      if (stores == Stores::streaming && !is_jpeg(course)) continue;  // whole tiles are stored as ever
      const std::string name = std::string(target) + (stores == Stores::cached ? "" : " streamed");
      ours.emplace_back(name, std::make_unique<Ours>(course, target, stores));
      if (!same_pixels(level_after(*ours.back().second, course), expected, is_jpeg(course)))
        die("{}: {} differs", course.name, name);
      if (ours.back().second->left_to_library() != 0) die("{}: tiles are left to the library", course.name);
    }
  }
  std::map<std::string, std::vector<double>> ratios;
  std::vector<double> base;
  for (int round = 0; round < rounds; ++round) {
    base.push_back(timed(library, course, laps));
    for (auto& [name, racer] : ours) ratios[name].push_back(timed(*racer, course, laps) / base.back());
  }
  fmt::print("{:24} {:5} tiles  library {:5.0f} MP/s", course.name, course.packed.size(),
             course.pixels / median(base) / 1e6);
  for (const auto& [name, racer] : ours) fmt::print("  {} {:.3f}", name, median(ratios[name]));
  fmt::print("\n");
  std::fflush(stdout);
}

struct Recoding {
  enum class Kind { jpeg, reversible, white, grey } kind = Kind::jpeg;
  int quality, h, v;
  std::string name;
};

std::vector<std::byte> encode(const uint8_t* rgb, int64_t stride, const microtome::Size& size,
                              const Recoding& how) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&jpeg, &out, &bytes);
  jpeg.image_width = static_cast<JDIMENSION>(size.w);
  jpeg.image_height = static_cast<JDIMENSION>(size.h);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, how.quality, TRUE);
  jpeg.comp_info[0].h_samp_factor = how.h;
  jpeg.comp_info[0].v_samp_factor = how.v;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(rgb + static_cast<int64_t>(jpeg.next_scanline) * stride);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  const auto* begin = reinterpret_cast<const std::byte*>(out);
  std::vector<std::byte> packed(begin, begin + bytes);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return packed;
}

/// Whole tiles of 256 from the pixels that `course` left in its level.
Course recode(const Course& course, const Recoding& how) {
  constexpr int64_t kSide = 256;
  Library library(course);
  library.run(course);
  const int64_t stride = course.places[0].stride, width = stride / 3;
  const int64_t height = static_cast<int64_t>(course.level.size()) / stride;
  Course made;
  made.name = how.name;
  const bool jpeg = how.kind == Recoding::Kind::jpeg;
  made.format.compression = jpeg ? microtome::Compression::jpeg : microtome::Compression::aperio_jpeg2000_rgb;
  made.format.color = jpeg ? microtome::Color::ycbcr : microtome::Color::rgb;
  made.format.size = {kSide, kSide};
  const bool flat = how.kind == Recoding::Kind::white || how.kind == Recoding::Kind::grey;
  const std::vector<uint8_t> colour(kSide * kSide * 3, how.kind == Recoding::Kind::white ? 255 : 128);
  for (int64_t y = 0; y + kSide <= height; y += kSide) {
    for (int64_t x = 0; x + kSide <= width; x += kSide) {
      const uint8_t* const rgb = flat ? colour.data() : course.level.data() + y * stride + x * 3;
      const int64_t step = flat ? kSide * 3 : stride;
      made.made.push_back(
          jpeg ? encode(rgb, step, made.format.size, how)
               : encode_jpeg2000(rgb, step, made.format.size, how.kind == Recoding::Kind::reversible));
    }
  }
  made.packed.assign(made.made.begin(), made.made.end());
  made.lay_out({width / kSide * kSide, height / kSide * kSide});
  return made;
}

Recoding parse_recoding(const std::string& text) {
  const std::map<std::string, std::pair<int, int>> samplings{
      {"444", {1, 1}}, {"422", {2, 1}}, {"440", {1, 2}}, {"420", {2, 2}}};
  const std::map<std::string, Recoding::Kind> jpeg2000{
      {"5/3", Recoding::Kind::reversible}, {"white", Recoding::Kind::white}, {"grey", Recoding::Kind::grey}};
  if (const auto kind = jpeg2000.find(text); kind != jpeg2000.end()) {
    return {kind->second, 0, 0, 0, "JPEG 2000 " + text};
  }
  const size_t colon = text.find(':');
  const int quality = std::atoi(text.c_str());
  const auto sampling = colon == text.npos ? samplings.end() : samplings.find(text.substr(colon + 1));
  if (quality < 1 || quality > 100 || sampling == samplings.end()) {
    die("--recode {}: expected QUALITY:SAMPLING, as 75:420, or 5/3, white or grey", text);
  }
  return {Recoding::Kind::jpeg, quality, sampling->second.first, sampling->second.second, "quality " + text};
}

int run(const std::vector<std::string>& arguments) {
  int rounds = 9;
  std::vector<Recoding> recodings;
  std::vector<std::string> slides;
  std::vector<int> reductions{0};
  std::string only;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool option = arguments[i].starts_with("--");
    if (option && i + 1 == arguments.size()) die("{} needs a value", arguments[i]);
    if (arguments[i] == "--rounds") {
      rounds = std::atoi(arguments[++i].c_str());
    } else if (arguments[i] == "--only") {
      only = arguments[++i];
    } else if (arguments[i] == "--reduce") {
      reductions.push_back(std::atoi(arguments[++i].c_str()));
    } else if (arguments[i] == "--recode") {
      recodings.push_back(parse_recoding(arguments[++i]));
    } else {
      slides.push_back(arguments[i]);
    }
  }
  if (slides.empty() || rounds < 1) {
    die("usage: microtome_tile_race [--rounds N] [--only TARGET] [--recode WHAT]... [--reduce N]... "
        "SLIDE...");
  }
  for (size_t i = 0; i < slides.size(); ++i) {
    const MappedImage image = map_image(slides[i], 0);
    const Course course = course_of(image, slides[i], 0);
    for (const int reduce : reductions) race(course_of(image, slides[i], reduce), rounds, only);
    if (i != 0) continue;
    if (!recodings.empty() && course.format.samples != 3) die("{}: recoding needs colour", slides[i]);
    for (const Recoding& how : recodings) race(recode(course, how), rounds, only);
  }
  return 0;
}

}  // namespace
}  // namespace floors

int main(int count, char** values) {
  return floors::run({values + 1, values + count});
}
