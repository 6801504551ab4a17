#include "microtome/read/gpu/direct_reads.h"

#include <utility>
#include <vector>

#include "microtome/base/fail.h"

namespace microtome::gpu {
namespace {

/// The slides of which some image may have tiles that are their pixels.
std::vector<const Slide*> slides_with_plain_tiles(std::span<const ImageToRead> images) {
  std::vector<const Slide*> slides;
  for (const ImageToRead& each : images) {
    const TileGrid& grid = each.slide->image(each.image);
    const bool known = !slides.empty() && slides.back() == each.slide;
    if (!known && may_be_direct(grid.format, grid.tile)) slides.push_back(each.slide);
  }
  return slides;
}

}  // namespace

std::string DirectReport::mode() const {
  const std::lock_guard lock(mutex_);
  return mode_;
}

std::string DirectReport::lacking() const {
  const std::lock_guard lock(mutex_);
  return lacking_;
}

void DirectReport::set_mode(std::string mode) {
  const std::lock_guard lock(mutex_);
  mode_ = std::move(mode);
}

void DirectReport::lacks(std::string reason) {
  const std::lock_guard lock(mutex_);
  if (lacking_.empty()) lacking_ = std::move(reason);
}

/// A failure is not kept: the next loader looks again.
Result<std::shared_ptr<const cuda::Cufile>> DirectReads::cufile() {
  const std::lock_guard lock(mutex_);
  if (cufile_ == nullptr) {
    MICROTOME_ASSIGN(cufile_, cuda::Cufile::open(device_, places_));
  }
  return cufile_;
}

/// Without files: nothing is to be read directly.
Result<DirectFiles> DirectReads::open(Direct how, std::span<const ImageToRead> images, const Slabs& slabs,
                                      DirectReport& report) {
  const bool only = how == Direct::only;
  DirectFiles opened;
  const std::vector<const Slide*> slides = slides_with_plain_tiles(images);
  if (slides.empty()) {
    if (!only) return opened;
    return unsupported(
        "gds = 'on': no image that is read has tiles that are their pixels: uncompressed, whole samples in "
        "this "
        "machine's byte order, {} bytes or more each",
        kLeastDirectBytes);
  }
  MICROTOME_ASSIGN(const std::shared_ptr<const cuda::Cufile> cufile, this->cufile());
  const bool is_direct = cufile->mode() == cuda::CufileMode::direct;
  if (!only && !is_direct)
    return unavailable(
        "cuFile {} has compat mode alone, nvidia-fs is not loaded: it would read into memory of the host and "
        "copy, as is "
        "done without it",
        cufile->path());
  for (const Slide* slide : slides) {
    const int descriptor = slide->source().descriptor();
    if (descriptor < 0) {
      if (only) return unsupported("gds = 'on': {} is not a file", slide->source().name());
      continue;
    }
    auto file = cufile->open_file(descriptor);
    if (file.ok()) {
      opened.files.emplace(slide, *std::move(file));
    } else if (only) {
      return Error(file.error()).with_place(std::string(slide->source().name()));
    } else {
      report.lacks(Error(file.error()).with_place(std::string(slide->source().name())).message);
    }
  }
  if (opened.files.empty()) return opened;
  MICROTOME_ASSIGN(opened.buffer, cufile->register_memory(slabs.address, slabs.bytes));
  opened.slabs = slabs.address;
  report.set_mode(is_direct ? "direct" : "compat");
  return opened;
}

Result<std::unique_ptr<DecodeBackend>> DirectReads::wrap(Direct how, std::unique_ptr<DecodeBackend> usual,
                                                         std::span<const ImageToRead> images,
                                                         const Slabs& slabs, CrewOptions crew,
                                                         ReadCounters* counters,
                                                         std::shared_ptr<DirectReport> report) {
  if (how == Direct::off) return usual;
  auto files = open(how, images, slabs, *report);
  if (!files.ok()) {
    if (how == Direct::only || files.error().code == Errc::out_of_memory) return files.error();
    report->lacks(files.error().message);
    return usual;
  }
  if (files->files.empty()) return usual;
  return std::unique_ptr<DecodeBackend>(std::make_unique<DirectBackend>(std::move(usual), *std::move(files),
                                                                        how == Direct::only, std::move(crew),
                                                                        counters, std::move(report)));
}

}  // namespace microtome::gpu
