// libjpeg's error manager without the part that prints.
//
// Called by library.cc. jpeg_std_error() would give one too, from an object of libjpeg's that refers to
// stderr: distributions build their static libraries so that this one cannot be linked into a shared object,
// and wheels want libjpeg inside. The messages are libjpeg's own, out of its jerror.h. Stateless.
#pragma once

struct jpeg_error_mgr;

namespace microtome::jpeg {

/// Sets what libjpeg needs of an error manager but error_exit, emit_message and output_message.
void init_messages(jpeg_error_mgr& manager) noexcept;

}  // namespace microtome::jpeg
