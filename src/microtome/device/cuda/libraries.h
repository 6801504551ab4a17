// NVIDIA's decoding and file libraries, each opened by itself: nvJPEG, nvJPEG2000, cuFile.
//
// None of them is needed to use a device; a backend that needs one opens it and passes on the error, which
// names each place that was looked at and the package that has the library. Opening makes no handle and
// touches no device. Thread-safe: no state.
#pragma once

#include <string>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/cufile_api.h"
#include "microtome/device/cuda/nvjpeg2k_api.h"
#include "microtome/device/cuda/nvjpeg_api.h"
#include "microtome/device/library.h"

namespace microtome::cuda {

/// Where each library is looked for beside the system's own places. Python knows its packages' folders; see
/// _cuda.py.
struct Places {
  LibraryPlaces nvjpeg, nvjpeg2k, cufile;
};

/// A library's functions, and the file and version that they are of.
template <class Api>
struct OpenLibrary {
  Api api;
  std::string path, version;
};

/// Errors  unavailable: not found, or it lacks a required function (all are named) or does not tell its
/// version.
Result<OpenLibrary<NvjpegApi>> open_nvjpeg(const LibraryPlaces& places);
Result<OpenLibrary<Nvjpeg2kApi>> open_nvjpeg2k(const LibraryPlaces& places);
Result<OpenLibrary<CufileApi>> open_cufile(const LibraryPlaces& places);

/// What microtome.info() tells of one.
struct LibraryReport {
  std::string name;           ///< "nvjpeg", "nvjpeg2k", "cufile"
  std::string path, version;  ///< Empty where it cannot be used.
  std::string problem;        ///< Why it cannot be used; empty where it can.
};

/// Opens all three.
std::vector<LibraryReport> look_for_libraries(const Places& places);

}  // namespace microtome::cuda
