// Microtome for C++17 and later: owning classes and exceptions over the C API, all of it in this header.
//
//     const microtome::Slide slide("slide.svs");
//     const microtome::Image region = slide.read({1024, 512, 300, 200, 0});
//
// It calls the C API alone, so that a program needs neither the compiler nor the standard library that
// Microtome was built with. Options are the C API's structs. Threads and ownership are as microtome.h says: a
// slide may be shared between threads and destroyed while loaders made from it live.
#ifndef MICROTOME_MICROTOME_HPP
#define MICROTOME_MICROTOME_HPP

#include <microtome/microtome.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace microtome {

/// A call that failed. `what()` says what was found, what was expected and where.
class Error : public std::runtime_error {
 public:
  /// Of what a call of the C API says.
  explicit Error(const microtome_error& error)
      : std::runtime_error(error.message), status_(static_cast<microtome_status>(error.status)) {}

  /// What can be done about it.
  microtome_status status() const noexcept { return status_; }

 private:
  microtome_status status_;
};

namespace detail {

/// Calls `function` with the arguments and a place for an error, and throws that error.
template <class Function, class... Arguments>
void call(Function* function, Arguments... arguments) {
  microtome_error error;
  if (function(arguments..., &error) != MICROTOME_OK) throw Error(error);
}

template <class T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* handle) const noexcept { Free(handle); }
};
template <class T, void (*Free)(T*)>
using Handle = std::unique_ptr<T, Deleter<T, Free>>;

}  // namespace detail

/// Pixels: h rows of w pixels of `channels` samples, without gaps.
struct Image {
  int64_t w = 0, h = 0;              ///< Pixels.
  int32_t channels = 0;              ///< Samples of a pixel.
  int32_t sample = MICROTOME_UINT8;  ///< A microtome_sample.
  std::vector<unsigned char> bytes;  ///< Row by row, samples interleaved.

  /// The samples as what they are, `const uint8_t*` or another type of the sample's size.
  template <class T = uint8_t>
  const T* data() const {
    if (static_cast<int32_t>(sizeof(T)) != microtome_sample_bytes(sample))
      throw std::invalid_argument("Image::data: the samples are of another size");
    return reinterpret_cast<const T*>(bytes.data());
  }
};

/// An open slide: immutable, movable, to be shared between threads.
class Slide {
 public:
  /// Opens the slide in a file. Throws Error as microtome_open says.
  explicit Slide(const std::string& path) {
    microtome_slide* opened = nullptr;
    detail::call(microtome_open, path.c_str(), &opened);
    handle_.reset(opened);
  }

  /// Which vendor's file it is: "aperio", "generic-tiff", …
  std::string format() const { return microtome_format(get()); }

  /// How many levels there are; level 0 is the largest.
  int32_t level_count() const noexcept { return microtome_level_count(get()); }

  /// What a level is like. Throws Error for one that does not exist.
  microtome_level_info level(int32_t number) const {
    microtome_level_info info;
    detail::call(microtome_level, get(), number, &info);
    return info;
  }

  /// Magnification of level 0, or 0 where the file does not say.
  double objective_power() const noexcept { return microtome_objective_power(get()); }

  /// The value of a property, or nothing where the slide has none of that name.
  std::optional<std::string> property(const std::string& name) const {
    const char* value = microtome_property(get(), name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }

  /// The names of all properties, in alphabetical order.
  std::vector<std::string> property_names() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < microtome_property_count(get()); ++i)
      names.emplace_back(microtome_property_name(get(), i));
    return names;
  }

  /// The levels' colour profile; empty where the file has none.
  std::vector<unsigned char> icc_profile() const {
    size_t size = 0;
    const auto* profile = static_cast<const unsigned char*>(microtome_icc_profile(get(), &size));
    return {profile, profile + size};
  }

  /// A region as a new image. Throws Error as microtome_read says.
  Image read(const microtome_region& region, const microtome_read_options& options = {}) const {
    const microtome_level_info info = level(region.level);
    Image image = make_image(region.w, region.h, info.channels, info.sample);
    microtome_read_options packed = options;
    packed.row_bytes = 0;
    detail::call(microtome_read, get(), &region, image.bytes.data(), image.bytes.size(), &packed);
    return image;
  }

  /// A region into memory of the caller's, `size_bytes` at `pixels`. Throws Error as microtome_read says.
  void read(const microtome_region& region, void* pixels, size_t size_bytes,
            const microtome_read_options& options = {}) const {
    detail::call(microtome_read, get(), &region, pixels, size_bytes, &options);
  }

  /// The associated images, without their pixels. Their names live as long as the slide.
  std::vector<microtome_associated_info> associated() const {
    std::vector<microtome_associated_info> all(static_cast<size_t>(microtome_associated_count(get())));
    for (size_t i = 0; i < all.size(); ++i)
      detail::call(microtome_associated, get(), static_cast<int32_t>(i), &all[i]);
    return all;
  }

  /// An associated image's pixels: "thumbnail", "label", "macro", … Throws Error for one that the slide does
  /// not have.
  Image read_associated(const std::string& name) const {
    Image image;
    for (const microtome_associated_info& each : associated())
      if (each.name == name) image = make_image(each.w, each.h, each.channels, each.sample);
    detail::call(microtome_read_associated, get(), name.c_str(), image.bytes.data(), image.bytes.size(),
                 nullptr);
    return image;
  }

  /// The C API's slide, which stays this object's.
  const microtome_slide* get() const noexcept { return handle_.get(); }

 private:
  // A side that is no size is left to the C API, which says so.
  static Image make_image(int64_t w, int64_t h, int32_t channels, int32_t sample) {
    Image image{w, h, channels, sample, {}};
    const auto pixel_bytes =
        static_cast<uint64_t>(channels) * static_cast<uint64_t>(microtome_sample_bytes(sample));
    if (w > 0 && h > 0) {
      if (static_cast<uint64_t>(w) > SIZE_MAX / pixel_bytes / static_cast<uint64_t>(h))
        throw std::bad_alloc();
      image.bytes.resize(
          static_cast<size_t>(static_cast<uint64_t>(w) * static_cast<uint64_t>(h) * pixel_bytes));
    }
    return image;
  }

  detail::Handle<microtome_slide, microtome_close> handle_;
};

/// Patches as one block of memory. Owns it, and outlives its loader.
class Batch {
 public:
  /// Takes a batch of the C API's, and frees it.
  explicit Batch(microtome_batch* handle) : handle_(handle) {
    detail::call(microtome_batch_get, const_cast<const microtome_batch*>(handle), &info_);
  }

  /// How many patches there are.
  int64_t count() const noexcept { return info_.count; }

  /// Everything that the batch holds: pointers into it.
  const microtome_batch_info& info() const noexcept { return info_; }

  /// Samples of patch number `row`, h rows of w pixels; `T` is the sample's type.
  template <class T = uint8_t>
  const T* patch(int64_t row) const {
    if (static_cast<int32_t>(sizeof(T)) != microtome_sample_bytes(info_.sample))
      throw std::invalid_argument("Batch::patch: the samples are of another size");
    return static_cast<const T*>(info_.pixels) + row * info_.w * info_.h * info_.channels;
  }

  /// The position of patch number `row` in the loader's list.
  int64_t index(int64_t row) const noexcept { return info_.indices[row]; }

  /// What was filled instead of read: (row, message), with MICROTOME_FILL alone.
  std::vector<std::pair<int64_t, std::string>> errors() const {
    std::vector<std::pair<int64_t, std::string>> all;
    for (int64_t i = 0; i < info_.error_count; ++i) {
      int64_t row = 0;
      const char* message = microtome_batch_error(handle_.get(), i, &row);
      all.emplace_back(row, message);
    }
    return all;
  }

 private:
  detail::Handle<microtome_batch, microtome_batch_free> handle_;
  microtome_batch_info info_{};
};

/// One pass over patches: `while (auto batch = loader.next())`. Serves one thread at a time.
class Loader {
 public:
  /// Patches of several slides. Throws Error as microtome_loader_open says.
  Loader(const std::vector<const Slide*>& slides, const std::vector<microtome_patch>& patches,
         const microtome_loader_options& options) {
    std::vector<const microtome_slide*> handles;
    for (const Slide* slide : slides) handles.push_back(slide->get());
    microtome_loader* opened = nullptr;
    detail::call(microtome_loader_open, handles.data(), handles.size(), patches.data(), patches.size(),
                 &options, &opened);
    handle_.reset(opened);
  }

  /// Patches of one slide.
  Loader(const Slide& slide, const std::vector<microtome_patch>& patches,
         const microtome_loader_options& options)
      : Loader(std::vector<const Slide*>{&slide}, patches, options) {}

  /// How many batches the pass has, delivered or not.
  int64_t batch_count() const noexcept { return microtome_loader_batch_count(handle_.get()); }

  /// The next batch, or nothing after the last. Throws Error as microtome_loader_next says.
  std::optional<Batch> next() {
    microtome_batch* batch = nullptr;
    detail::call(microtome_loader_next, handle_.get(), &batch);
    return batch ? std::optional<Batch>(std::in_place, batch) : std::nullopt;
  }

 private:
  detail::Handle<microtome_loader, microtome_loader_close> handle_;
};

}  // namespace microtome

#endif
