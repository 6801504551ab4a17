// The jobs whose instructions are counted: small, of one thread, the same every time.
//
// Slides are held in memory: no system calls, and identities (which hashes are made of) that no inode or date
// changes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/core.h"

namespace count {

/// A job that is ready: what it needs is open and allocated. Runs twice, and only the second run is counted:
/// the first one makes decoders, fills pools and lets the linker find what it calls.
using Run = std::function<void()>;

struct JobKind {
  std::string_view name;
  std::string_view slide;  ///< A name of tools/make_slides.py with its extension.
  Run (*prepare)(const std::string& slide_path);
};

std::span<const JobKind> read_jobs();   ///< Whole levels and the tile cache, by Reader.
std::span<const JobKind> patch_jobs();  ///< Patches, by Loader.
std::span<const JobKind> index_jobs();  ///< Opening and planning: no pixels.

/// The value, or the end of the program with the error on stderr.
template <class T>
T must(microtome::Result<T> result) {
  return std::move(result).value();
}

microtome::Bytes read_file(const std::string& path);
std::shared_ptr<const microtome::Slide> open_in_memory(const std::string& path);

/// What reads and loaders share, of a process that counts: a cache of `cache_bytes`, a pool, one worker.
microtome::LoaderContext make_context(size_t cache_bytes);

/// Background for slides of RGB.
std::vector<std::byte> white();

}  // namespace count
