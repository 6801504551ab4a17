#include "microtome/device/cuda/libraries.h"

#include <fmt/ranges.h>

#include "microtome/base/fail.h"

namespace microtome::cuda {
namespace {

LibraryName nvjpeg_name() {
  return {"nvJPEG",
          {"libnvjpeg.so.13", "libnvjpeg.so.12"},
          "MICROTOME_LIB_NVJPEG",
          "pip install nvidia-nvjpeg has it"};
}

LibraryName nvjpeg2k_name() {
  return {"nvJPEG2000",
          {"libnvjpeg2k.so.0"},
          "MICROTOME_LIB_NVJPEG2K",
          "pip install nvidia-nvjpeg2k-cu13 has it"};
}

LibraryName cufile_name() {
  return {"cuFile", {"libcufile.so.0"}, "MICROTOME_LIB_CUFILE", "pip install nvidia-cufile has it"};
}

/// nvJPEG and nvJPEG2000 tell their version in parts.
template <class Status>
std::string version_in_parts(Status (*get)(LibraryProperty, int*)) {
  int major = 0, minor = 0, patch = 0;
  if (get(LibraryProperty::major_version, &major) != Status::success ||
      get(LibraryProperty::minor_version, &minor) != Status::success ||
      get(LibraryProperty::patch_level, &patch) != Status::success)
    return {};
  return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string version_of(const NvjpegApi& api) {
  return version_in_parts(api.nvjpegGetProperty);
}
std::string version_of(const Nvjpeg2kApi& api) {
  return version_in_parts(api.nvjpeg2kGetProperty);
}

/// cuFile's is one number, 1000 * major + 10 * minor; the function came with CUDA 12.
std::string version_of(const CufileApi& api) {
  int version = 0;
  if (api.cuFileGetVersion(&version).status != CufileStatus::success) return {};
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

template <class Api>
Result<OpenLibrary<Api>> open(const LibraryName& name, const LibraryPlaces& places) {
  MICROTOME_ASSIGN(const Library library, Library::open(name, places));
  OpenLibrary<Api> opened;
  const std::vector<std::string> missing =
      opened.api.fill([&](const char* symbol) { return library.symbol(symbol); });
  if (!missing.empty())
    return unavailable("{} {} lacks {}: it is too old, or another library of that name. {}", name.what,
                       library.path(), fmt::join(missing, ", "), name.remedy);
  opened.path = library.path();
  opened.version = version_of(opened.api);
  if (opened.version.empty())
    return unavailable("{} {} does not tell its version. {}", name.what, library.path(), name.remedy);
  return opened;
}

template <class Api>
LibraryReport report(const char* name, const Result<OpenLibrary<Api>>& opened) {
  if (!opened.ok()) return {name, {}, {}, opened.error().message};
  return {name, opened->path, opened->version, {}};
}

}  // namespace

Result<OpenLibrary<NvjpegApi>> open_nvjpeg(const LibraryPlaces& places) {
  return open<NvjpegApi>(nvjpeg_name(), places);
}

Result<OpenLibrary<Nvjpeg2kApi>> open_nvjpeg2k(const LibraryPlaces& places) {
  return open<Nvjpeg2kApi>(nvjpeg2k_name(), places);
}

Result<OpenLibrary<CufileApi>> open_cufile(const LibraryPlaces& places) {
  return open<CufileApi>(cufile_name(), places);
}

std::vector<LibraryReport> look_for_libraries(const Places& places) {
  return {report("nvjpeg", open_nvjpeg(places.nvjpeg)), report("nvjpeg2k", open_nvjpeg2k(places.nvjpeg2k)),
          report("cufile", open_cufile(places.cufile))};
}

}  // namespace microtome::cuda
