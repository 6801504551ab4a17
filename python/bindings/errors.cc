// Errors of the core as Python exceptions: the one table.
#include "bindings.h"

namespace microtome::python {
namespace {

nb::object ours(const char* name) {
  return nb::module_::import_("microtome.errors").attr(name);
}

nb::object exception_for(Errc code) {
  switch (code) {
    case Errc::not_found:
      return nb::borrow(PyExc_FileNotFoundError);
    case Errc::io:
      return nb::borrow(PyExc_OSError);
    case Errc::out_of_range:
      return nb::borrow(PyExc_IndexError);
    case Errc::invalid_argument:
      return nb::borrow(PyExc_ValueError);
    case Errc::out_of_memory:
      return nb::borrow(PyExc_MemoryError);
    case Errc::corrupt:
      return ours("CorruptSlideError");
    case Errc::unsupported:
      return ours("UnsupportedError");
    case Errc::unavailable:
      return ours("DeviceUnavailableError");
    case Errc::cancelled:
    case Errc::internal:
      break;
  }
  return ours("Error");
}

}  // namespace

void raise(const Error& error) {
  const nb::object type = exception_for(error.code);
  PyErr_SetObject(type.ptr(), to_str(error.message).ptr());
  nb::raise_python_error();
}

nb::str to_str(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace");
  if (!decoded) nb::raise_python_error();
  return nb::steal<nb::str>(decoded);
}

nb::list to_list(const std::vector<RegionError>& errors) {
  nb::list list;
  for (const auto& error : errors) list.append(nb::make_tuple(error.region, to_str(error.error.message)));
  return list;
}

OnError on_error(bool fill) noexcept {
  return fill ? OnError::fill : OnError::raise;
}

}  // namespace microtome::python
