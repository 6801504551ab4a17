#include "microtome/device/library.h"

#include <dlfcn.h>
#include <fmt/ranges.h>
#include <link.h>
#include <unistd.h>

#include <cstdlib>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

// Not unloaded by anybody, their own symbols first, all of them bound now: a function that is missing is an
// error here rather than the process's end later.
constexpr int kFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;

class Search {
 public:
  void* open(const std::string& file) {
    void* handle = ::dlopen(file.c_str(), kFlags);
    if (!handle) {
      const char* said = ::dlerror();
      broken_.push_back(said ? said : file + ": cannot be opened");
    }
    return handle;
  }

  void* open_in(const std::vector<std::string>& folders, const std::vector<std::string_view>& files) {
    for (const std::string& folder : folders) {
      looked_.push_back(folder);
      for (const std::string_view file : files) {
        const std::string path = fmt::format("{}/{}", folder, file);
        if (::access(path.c_str(), F_OK) != 0) continue;
        if (void* handle = open(path)) return handle;
      }
    }
    return nullptr;
  }

  void* open_by_name(const std::vector<std::string_view>& files) {
    looked_.emplace_back("where the system's loader looks");
    for (const std::string_view file : files)
      if (void* handle = open(std::string(file))) return handle;
    return nullptr;
  }

  Error failure(const LibraryName& name) const {
    return unavailable("{} was not found: looked for {} in: {}. The loader said: {}. {}", name.what,
                       fmt::join(name.files, ", "), fmt::join(looked_, "; "), fmt::join(broken_, "; "),
                       name.remedy);
  }

 private:
  std::vector<std::string> looked_, broken_;
};

void* already_open(const std::vector<std::string_view>& files) {
  for (const std::string_view file : files)
    if (void* handle = ::dlopen(std::string(file).c_str(), kFlags | RTLD_NOLOAD)) return handle;
  ::dlerror();
  return nullptr;
}

}  // namespace

Library::Library(void* handle) : handle_(handle) {
  link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map) path_ = map->l_name;
}

Result<Library> Library::open(const LibraryName& name, const LibraryPlaces& places) {
  Search search;
  if (const char* file = std::getenv(name.variable); file && *file) {
    if (void* handle = ::dlopen(file, kFlags)) return Library(handle);
    const char* said = ::dlerror();
    return unavailable("{} cannot be opened: {} = {}: {}", name.what, name.variable, file,
                       said ? said : "no reason given");
  }
  void* handle = already_open(name.files);
  if (!handle) handle = search.open_in(places.first, name.files);
  if (!handle) handle = search.open_by_name(name.files);
  if (!handle) handle = search.open_in(places.last, name.files);
  if (!handle) return search.failure(name);
  return Library(handle);
}

void* Library::symbol(const char* name) const noexcept {
  return ::dlsym(handle_, name);
}

}  // namespace microtome
