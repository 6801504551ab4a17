// The module microtome._core. Private: the package microtome is what users import.
#include "bindings.h"
#include "cuda.h"
#include "microtome/runtime/runtime.h"

NB_MODULE(_core, module) {
  namespace python = microtome::python;
  // Made here, with its fork handlers, rather than by the first read: a fork in the middle of making it would
  // leave the child with half of it, waiting for a thread that it does not have.
  microtome::runtime();
  // Objects alive at exit are no fault of ours to report: the library prints nothing.
  nanobind::set_leak_warnings(false);
  module.doc() = "Bindings of Microtome's C++ core. Private: use the package microtome.";
  python::bind_slide(module);
  python::bind_source(module);
  python::bind_loader(module);
  python::bind_cache(module);
  python::bind_cuda(module);
  python::bind_device_array(module);
  python::bind_device_pass(module);
  python::bind_dlpack_array(module);
  python::bind_cuslide_order(module);
  python::bind_runtime(module);
}
