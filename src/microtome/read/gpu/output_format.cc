#include "microtome/read/gpu/output_format.h"

#include <array>
#include <cstring>
#include <string_view>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/scatter_core.h"

namespace microtome::gpu {
namespace {

Status check_count(std::string_view name, const std::vector<double>& values, uint16_t samples) {
  if (values.size() <= 1 || values.size() == samples) return ok_status();
  return invalid_argument("{} has {} values, expected one, or one for each of {} channels", name,
                          values.size(), samples);
}

double value_of(const std::vector<double>& values, size_t sample, double otherwise) {
  if (values.empty()) return otherwise;
  return values[values.size() == 1 ? 0 : sample];
}

}  // namespace

Result<OutputFormat> OutputFormat::make(const OutputRequest& request, SampleType tiles, uint16_t samples) {
  const SampleType type = request.type.value_or(tiles);
  const bool is_float = type == SampleType::f16 || type == SampleType::f32;
  const bool is_normalised = !request.mean.empty() || !request.deviation.empty();
  if (!is_float && type != tiles)
    return invalid_argument("samples of {} from {}, expected {}, float16 or float32", sample_name(type),
                            sample_name(tiles), sample_name(tiles));
  if (!is_float && is_normalised)
    return invalid_argument("mean and std are of float16 or float32, and the samples are {}",
                            sample_name(type));
  MICROTOME_TRY(check_count("mean", request.mean, samples));
  MICROTOME_TRY(check_count("std", request.deviation, samples));
  OutputFormat format;
  format.planar = request.planar;
  if (type == tiles && !is_normalised) return format;
  format.output = type == SampleType::f16 ? Output::f16 : Output::f32;
  for (size_t i = 0; i < samples; ++i) {
    MICROTOME_ASSIGN(const Affine affine,
                     normalisation(value_of(request.mean, i, 0), value_of(request.deviation, i, 1)));
    format.affine.push_back(affine);
  }
  return format;
}

SampleType OutputFormat::type(SampleType tiles) const noexcept {
  if (output == Output::f16) return SampleType::f16;
  return output == Output::f32 ? SampleType::f32 : tiles;
}

std::vector<int64_t> OutputFormat::shape(std::optional<int64_t> images, Size patch, uint16_t samples) const {
  std::vector<int64_t> sides;
  if (images) sides.push_back(*images);
  if (planar) sides.push_back(samples);
  sides.insert(sides.end(), {patch.h, patch.w});
  if (!planar) sides.push_back(samples);
  return sides;
}

Result<Constants> make_constants(const BatchShape& shape, const OutputFormat& format,
                                 std::span<const std::byte> fill) {
  if (fill.size() != shape.samples * sample_bytes(shape.type))
    return invalid_argument("fill of {} bytes, expected one pixel of {} samples of {}", fill.size(),
                            shape.samples, sample_name(shape.type));
  if (format.affine.size() != (format.output == Output::same ? 0 : shape.samples))
    return internal("a format of {} samples for images of {}", format.affine.size(), shape.samples);
  Constants constants;
  constants.fill_at = format.affine.size() * sizeof(Affine);
  if (format.output == Output::same) {
    constants.bytes.assign(fill.begin(), fill.end());
    return constants;
  }
  const size_t to_bytes = sample_bytes(format.type(shape.type)), from_bytes = sample_bytes(shape.type);
  constants.bytes.resize(constants.fill_at + shape.samples * to_bytes);
  std::memcpy(constants.bytes.data(), format.affine.data(), constants.fill_at);
  // By the kernel's own arithmetic, from where a sample of each type is aligned.
  MICROTOME_ASSIGN(const ScatterBatch batch,
                   describe(shape, {0, 0, reinterpret_cast<uint64_t>(format.affine.data())}));
  for (uint32_t i = 0; i < shape.samples; ++i) {
    alignas(double) std::array<std::byte, sizeof(double)> from, to;
    std::memcpy(from.data(), fill.data() + i * from_bytes, from_bytes);
    core::convert_sample(batch, reinterpret_cast<uint64_t>(to.data()),
                         reinterpret_cast<uint64_t>(from.data()), i);
    std::memcpy(constants.bytes.data() + constants.fill_at + i * to_bytes, to.data(), to_bytes);
  }
  return constants;
}

}  // namespace microtome::gpu
