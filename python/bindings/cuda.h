// Devices as the bindings share them: one driver for the process, and for each device that is used one
// reader.
//
// Call with the GIL held.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "microtome/device/cuda/pool.h"
#include "microtome/read/gpu/decoders.h"
#include "microtome/read/gpu/device_reader.h"
#include "microtome/read/gpu/direct_reads.h"
#include "microtome/read/gpu/output_format.h"

namespace microtome::python {

/// The reader of device `ordinal`, which has the device; made at first use and never destroyed. Errors:
/// unavailable, as Driver::open, Gpu::open and Driver::usable have it; out_of_memory.
Result<gpu::DeviceReader*> device_reader(int ordinal);

/// An array on a device as Python holds it: (…) of one SampleType, C-contiguous. A part of a tensor along its
/// first axis is an array of its own that keeps all of it.
struct DeviceArray {
  cuda::DeviceTensor tensor;
  size_t offset_bytes = 0;
  cuda::ForeignStream consumer;  ///< What an export that names no stream is taken to be used on.
};

/// (dtype, planar, mean, std) as microtome._cuda.output_format gives it; an empty dtype is the tiles' own.
using FormatArguments = std::tuple<std::string, bool, std::vector<double>, std::vector<double>>;

/// Errors: OutputFormat::make's; invalid_argument, no such dtype.
Result<gpu::OutputFormat> output_format(const FormatArguments& arguments, SampleType tiles, uint16_t samples);

/// (what decodes, folders of nvJPEG, of nvJPEG2000, folders to search last) as
/// microtome._cuda.decode_arguments gives it.
using DecodeArguments =
    std::tuple<std::string, std::vector<std::string>, std::vector<std::string>, std::vector<std::string>>;

/// Errors: invalid_argument, no such way to decode.
Result<gpu::Decode> decode_from(const DecodeArguments& arguments);

/// The decoders of device `ordinal`; made at first use and never destroyed. Errors as device_reader's.
Result<std::shared_ptr<gpu::Decoders>> device_decoders(int ordinal, const DecodeArguments& arguments);

/// ("off", "any" or "only", folders of cuFile, folders to search last) as microtome._cuda.gds_arguments gives
/// it.
using GdsArguments = std::tuple<std::string, std::vector<std::string>, std::vector<std::string>>;

/// Errors: invalid_argument, no such way.
Result<gpu::Direct> direct_from(const GdsArguments& arguments);

/// The direct reads of device `ordinal`; made at first use and never destroyed. Errors as device_reader's.
Result<std::shared_ptr<gpu::DirectReads>> direct_reads(int ordinal, const GdsArguments& arguments);

void bind_device_array(nb::module_& module);

}  // namespace microtome::python
