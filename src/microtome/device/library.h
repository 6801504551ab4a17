// Shared libraries that are looked for and opened at run time, and the account of where they were looked for.
//
// Called by device/cuda. Knows no library's interface. Opened libraries are never closed: their threads, and
// destructors of their own threads' variables, may run until the process ends. Thread-safe: no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"

namespace microtome {

/// A library as it is asked for.
struct LibraryName {
  std::string_view what;                ///< As a message calls it: "nvJPEG".
  std::vector<std::string_view> files;  ///< Names of its file, the one to prefer first.
  const char* variable;                 ///< Of the environment: the one file to take, if set and not empty.
  std::string_view remedy;              ///< How a user comes by it; ends the message that it is missing.
};

/// Folders beside those of the system's loader. First: Python's packages, conda. Last: an installed toolkit.
struct LibraryPlaces {
  std::vector<std::string> first, last;
};

/// An open library; copies are the same one.
class Library {
 public:
  /// Opens the first that there is, symbols bound at once and kept from other libraries:
  ///
  /// 1. what the environment's variable names, and then nothing else;
  /// 2. one that the process has open already, so that another package's copy is shared;
  /// 3. `places.first`;  4. where the system's loader looks;  5. `places.last`.
  ///
  /// Errors  unavailable: in none of them; the message lists each place, and why a file that was there could
  /// not be opened.
  static Result<Library> open(const LibraryName& name, const LibraryPlaces& places);

  /// The address of a function, or null.
  void* symbol(const char* name) const noexcept;

  /// The file, as the system's loader knows it.
  const std::string& path() const noexcept { return path_; }

 private:
  explicit Library(void* handle);
  void* handle_;
  std::string path_;
};

}  // namespace microtome
