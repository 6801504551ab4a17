// Any bytes as a TIFF: parse them, then ask for every value of every entry in every way there is.
//
// fuzz/corpus/tiff holds one small file for each encoding (byte order, classic or BigTIFF), each with a
// chain, nested SubIFDs and every value type. Seeds from real files make it go deeper; they are not kept
// here.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "microtome/tiff/directory.h"
#include "microtome/tiff/lazy_array.h"

namespace {

using microtome::tiff::Directory;
using microtome::tiff::Entry;
using microtome::tiff::LazyArray;

void require(bool condition) {
  if (!condition) std::abort();  // for the fuzzer to report
}

void read_array(const Directory& directory, uint16_t tag) {
  const auto array = LazyArray::over(directory, tag);
  if (!array.ok()) return;
  const uint64_t size = array->size();
  require(!array->at(size).ok());
  for (const uint64_t index : {uint64_t{0}, size / 2, size - 1, LazyArray::kPageValues}) {
    if (index >= size) continue;
    const auto value = array->at(index);
    // Both ways to a value agree.
    const auto all = directory.unsigned_values(tag, size);
    if (all.ok()) require(value.ok() && *value == (*all)[static_cast<size_t>(index)]);
  }
}

void read_everything(const Directory& directory) {
  for (const Entry& entry : directory.entries()) {
    const auto first = directory.unsigned_value(entry.tag);
    const auto all = directory.unsigned_values(entry.tag, UINT64_MAX);
    if (all.ok() && !all->empty()) require(first.ok() && *first == all->front());
    (void)directory.unsigned_values(entry.tag, 3).ok();
    (void)directory.unsigned_value_or(entry.tag, 1).ok();
    (void)directory.real_value(entry.tag).ok();
    (void)directory.real_values(entry.tag, UINT64_MAX).ok();
    (void)directory.text(entry.tag).ok();
    (void)directory.bytes(entry.tag).ok();
    read_array(directory, entry.tag);
  }
  for (const Directory& below : directory.sub_directories()) read_everything(below);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = microtome::tiff::parse(microtome::make_memory_source({bytes, nullptr}));
  if (!file.ok()) {
    require(!file.error().message.empty());
    return 0;
  }
  require(microtome::tiff::is_tiff(bytes.first(8)) && !file->directories.empty());
  for (const Directory& directory : file->directories) read_everything(directory);
  return 0;
}
