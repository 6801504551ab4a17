#include <fstream>
#include <iterator>

#include "count/jobs.h"

namespace count {

microtome::Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error(path + " cannot be read");
  auto data = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(data->data()), static_cast<std::streamsize>(data->size()));
  return {*data, data};
}

std::shared_ptr<const microtome::Slide> open_in_memory(const std::string& path) {
  return must(microtome::Slide::open(microtome::make_memory_source(read_file(path))));
}

microtome::LoaderContext make_context(size_t cache_bytes) {
  microtome::LoaderContext context;
  context.executor = std::make_shared<microtome::Executor>();
  context.cache = std::make_shared<microtome::TileCache>(cache_bytes);
  context.workers = std::make_shared<microtome::WorkerPool>();
  context.buffers = microtome::BufferPool::make(256u << 20);
  context.counters = std::make_shared<microtome::ReadCounters>();
  return context;
}

std::vector<std::byte> white() {
  return {3, std::byte{255}};
}

}  // namespace count
