// The work of one process of this program, as bench/protocol.py describes it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "floors/mapped_image.h"
#include "floors/tile_decoder.h"
#include "microtome/base/geometry.h"

namespace floors {

/// What the argument says, beyond the slide.
struct Job {
  std::string task, variant, floor;  ///< `floor`: "once" or "touched", empty: as the variant has it.
  int workers = 1;
  microtome::Size patch;
  int64_t batch = 64;
  std::vector<microtome::Point> locations;
};

class Task {
 public:
  virtual ~Task() = default;
  virtual int64_t pixels() const = 0;                 ///< That one run delivers.
  virtual double run() = 0;                           ///< Seconds.
  virtual int64_t save(const std::string& path) = 0;  ///< Bytes written.
};

/// Whole levels: variant "out" (into a level that stays), "fresh" (into new memory, 4 KB pages), "hot" (each
/// thread into one tile that stays in its cache, nothing kept).
std::unique_ptr<Task> make_level_task(MappedImage image, const Job& job);

/// Patches of level 0: floor "once" (each tile that any patch touches decoded once and kept), "touched" (each
/// patch decodes all tiles it touches, whole).
std::unique_ptr<Task> make_patch_task(MappedImage image, const Job& job);

/// One decoder for each of `workers` threads.
std::vector<std::unique_ptr<TileDecoder>> make_decoders(const MappedImage& image, int workers);

/// Writes the file anew; returns `size`.
int64_t write_file(const std::string& path, const uint8_t* data, size_t size);

/// Background, as Microtome's reads have it.
inline constexpr int kBackground = 255;

/// Sets `w` x `h` pixels of `samples` bytes to background.
void fill_background(const Target& to, size_t samples);

}  // namespace floors
