// Opens slides from paths, from bytes in memory and from Python's own file objects.
#include <nanobind/stl/string.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>

#include "bindings.h"
#include "microtome/base/fail.h"
#include "microtome/io/byte_source.h"

namespace microtome::python {
namespace {

// Note [One lock for all Python files]
// seek and read are two calls, so a lock has to hold them together; it is taken before the GIL and never
// while holding it. Readers of different files queue for the GIL anyway, so one lock serves all, and after a
// fork the child has one thing to replace: the lock may be held there by a thread that no longer exists.
std::atomic<std::mutex*> python_files_mutex{new std::mutex};

// At interpreter exit a thread that asks for the GIL never returns, and whoever waits for that thread never
// does either. So an atexit hook ends all reading through Python before that.
std::atomic<bool> python_files_stopped{false};

void stop_python_files() {
  without_gil([] {
    python_files_stopped = true;
    const std::lock_guard lock(*python_files_mutex.load());  // whoever is inside has left after this
  });
}

uint64_t next_serial() noexcept {
  static std::atomic<uint64_t> serial{0};
  return serial.fetch_add(1, std::memory_order_relaxed);
}

// A reference that may be dropped in any thread, with or without the GIL, also after the interpreter has
// gone.
struct Keeper {
  explicit Keeper(nb::object object) : kept(std::move(object)) {}
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    if (!Py_IsInitialized() || python_files_stopped) {
      kept.release();
      return;
    }
    const nb::gil_scoped_acquire acquired;
    kept.reset();
  }

  nb::object kept;
};

class PythonFile final : public ByteSource {
 public:
  PythonFile(nb::object file, std::string name, uint64_t size, bool shares_position)
      : file_(std::move(file)), name_(std::move(name)), size_(size), shares_position_(shares_position) {}

  std::string_view name() const noexcept override { return name_; }
  uint64_t size() const noexcept override { return size_; }
  // No file system has this device number, and memory sources use the one above.
  SourceId id() const noexcept override {
    return {std::numeric_limits<uint64_t>::max() - 1, serial_, size_, 0};
  }
  Status check_unchanged() const override { return ok_status(); }

  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    if (offset > size_ || dst.size() > size_ - offset)
      return corrupt("bytes {}+{} pass the end of the {} bytes of {}", offset, dst.size(), size_, name_);
    if (shares_position_ && getpid() != opened_in_)
      return io(
          "{} was opened before fork() and shares its position with the parent; open the slide in the child",
          name_);
    const std::lock_guard lock(*python_files_mutex.load());
    if (python_files_stopped) return cancelled("the interpreter is shutting down");
    const nb::gil_scoped_acquire acquired;
    try {
      return read_with_gil(offset, dst);
    } catch (nb::python_error& error) {
      return io("{}.read at {}: {}", name_, offset, error.what());
    }
  }

 private:
  Status read_with_gil(uint64_t offset, std::span<std::byte> dst) const {
    file_.kept.attr("seek")(offset);
    size_t done = 0;
    while (done < dst.size()) {
      const nb::object chunk = file_.kept.attr("read")(dst.size() - done);
      if (!PyBytes_Check(chunk.ptr())) return io("{}.read gives no bytes", name_);
      const auto got = static_cast<size_t>(PyBytes_Size(chunk.ptr()));
      if (got == 0 || got > dst.size() - done)
        return io("{}.read gave {} bytes at {}, expected {}", name_, got, offset + done, dst.size() - done);
      std::memcpy(dst.data() + done, PyBytes_AsString(chunk.ptr()), got);
      done += got;
    }
    return ok_status();
  }

  Keeper file_;
  std::string name_;
  uint64_t size_;
  bool shares_position_;
  uint64_t serial_ = next_serial();
  pid_t opened_in_ = getpid();
};

struct BufferView {
  Py_buffer view{};
  BufferView() = default;
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  ~BufferView() {
    if (!view.obj || !Py_IsInitialized() || python_files_stopped) return;
    const nb::gil_scoped_acquire acquired;
    PyBuffer_Release(&view);
  }
};

SlideHandle open_source(std::shared_ptr<const ByteSource> source, size_t image, bool rgb,
                        uint64_t max_tile_bytes) {
  const OpenOptions options{
      .image = image, .channels = rgb ? Channels::rgb : Channels::stored, .max_tile_bytes = max_tile_bytes};
  return {take(without_gil([&] { return Slide::open(std::move(source), options); }))};
}

SlideHandle open_path(const nb::bytes& path, size_t image, bool rgb, uint64_t max_tile_bytes) {
  const std::string name(path.c_str(), path.size());
  return open_source(take(without_gil([&] { return open_file(name); })), image, rgb, max_tile_bytes);
}

SlideHandle open_memory(const nb::object& content, size_t image, bool rgb, uint64_t max_tile_bytes) {
  auto buffer = std::make_shared<BufferView>();
  if (PyObject_GetBuffer(content.ptr(), &buffer->view, PyBUF_SIMPLE) != 0) nb::raise_python_error();
  const auto* data = static_cast<const std::byte*>(buffer->view.buf);
  const Bytes bytes{{data, static_cast<size_t>(buffer->view.len)}, buffer};
  return open_source(make_memory_source(bytes), image, rgb, max_tile_bytes);
}

SlideHandle open_python_file(nb::object file, std::string name, uint64_t size, bool shares_position,
                             size_t image, bool rgb, uint64_t max_tile_bytes) {
  static const bool registered = [] {
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&stop_python_files));
    // A thread of the parent may have been inside: its lock may be taken for ever, and is left as it is.
    pthread_atfork(nullptr, nullptr, [] { python_files_mutex = new std::mutex; });
    return true;
  }();
  static_cast<void>(registered);
  return open_source(std::make_shared<PythonFile>(std::move(file), std::move(name), size, shares_position),
                     image, rgb, max_tile_bytes);
}

}  // namespace

void bind_source(nb::module_& module) {
  module.def("open_path", &open_path, nb::arg("path"), nb::arg("image"), nb::arg("rgb"),
             nb::arg("max_tile_bytes"),
             "Opens image number `image` of a file; with `rgb` for what its samples look like.");
  module.def("open_memory", &open_memory, nb::arg("content"), nb::arg("image"), nb::arg("rgb"),
             nb::arg("max_tile_bytes"),
             nb::sig("def open_memory(content: bytes | bytearray | memoryview, image: int, rgb: bool, "
                     "max_tile_bytes: int) -> Slide"),
             "Opens an image of the file whose bytes these are, without copying them.");
  module.def(
      "open_python_file", &open_python_file, nb::arg("file"), nb::arg("name"), nb::arg("size"),
      nb::arg("shares_position"), nb::arg("image"), nb::arg("rgb"), nb::arg("max_tile_bytes"),
      "Opens an image of a seekable binary file object. `shares_position`: a forked child's file is the "
      "parent's.");
}

}  // namespace microtome::python
