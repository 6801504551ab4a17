// The scatter kernel's results: a run's samples, as the batch holds them, where it holds them.
//
// Plain C++ for both compilers: see scatter_types.h.
#pragma once

#include "microtome/read/gpu/scatter_load.h"
#include "microtome/read/gpu/scatter_number.h"

namespace microtome::gpu::core {

template <Output>
struct ElementOf {
  using Type = uint8_t;  // of what load_colours gives
};
template <>
struct ElementOf<Output::f16> {
  using Type = uint16_t;
};
template <>
struct ElementOf<Output::f32> {
  using Type = float;
};

/// Where the samples of a batch are, counted in samples.
struct Steps {
  uint64_t first;   // sample 0 of a run's column 0
  uint64_t pixel;   // from a pixel to the next
  uint64_t sample;  // from a pixel's sample to its next
};

MICROTOME_GPU_INLINE Steps steps(const ScatterBatch& batch, const ScatterPiece& piece, const Run& run) {
  const auto x = static_cast<uint64_t>(run.at_x);
  const uint64_t image = piece.image, y = static_cast<uint32_t>(run.at_y);
  if (batch.planar)
    return {(image * batch.samples * batch.height + y) * batch.width + x, 1,
            static_cast<uint64_t>(batch.height) * batch.width};
  return {((image * batch.height + y) * batch.width + x) * batch.samples, batch.samples, 1};
}

template <class T>
struct alignas(kRun * sizeof(T)) Vector {
  T value[kRun];
};

/// Stores four samples that follow each other, of which `first` to `last` - 1 are wanted.
template <class T>
MICROTOME_GPU_INLINE void store(uint64_t address, const Vector<T>& samples, int first, int last) {
  if (first == 0 && last == static_cast<int>(kRun) && address % sizeof(Vector<T>) == 0) {
    *reinterpret_cast<Vector<T>*>(address) = samples;
    return;
  }
  for (int i = 0; i < static_cast<int>(kRun); ++i)
    if (i >= first && i < last) reinterpret_cast<T*>(address)[i] = samples.value[i];
}

/// Stores three bytes a pixel as samples of the output.
template <Output kOutput, bool kPlanar>
MICROTOME_GPU_INLINE void store_as(const ScatterBatch& batch, const ScatterPiece& piece, const Run& run,
                                   const Colours& colours) {
  using T = typename ElementOf<kOutput>::Type;
  Vector<T> vectors[3];
  for (uint32_t c = 0; c < 3; ++c) {
    Affine affine{};
    if constexpr (kOutput != Output::same) affine = load<Affine>(batch.affine + c * sizeof(Affine));
    for (uint32_t i = 0; i < kRun; ++i) {
      const uint32_t at = kPlanar ? c * kRun + i : 3 * i + c;
      T& to = vectors[at / kRun].value[at % kRun];
      if constexpr (kOutput == Output::same)
        to = static_cast<uint8_t>(colours.value[c][i]);
      else if constexpr (kOutput == Output::f16)
        to = to_half(converted(colours.value[c][i], affine));
      else
        to = converted(colours.value[c][i], affine);
    }
  }
  const Steps to = steps(batch, piece, run);
  constexpr int kSide = kRun;
  for (int v = 0; v < 3; ++v) {
    const uint64_t at = to.first + static_cast<uint32_t>(v) * (kPlanar ? to.sample : kRun);
    const int first = kPlanar ? run.first : clamp(3 * run.first - v * kSide, 0, kSide);
    const int last = kPlanar ? run.last : clamp(3 * run.last - v * kSide, 0, kSide);
    store(batch.pixels + at * sizeof(T), vectors[v], first, last);
  }
}

template <Output kOutput>
MICROTOME_GPU_INLINE void store_laid_out(const ScatterBatch& batch, const ScatterPiece& piece, const Run& run,
                                         const Colours& colours) {
  if (batch.planar)
    store_as<kOutput, true>(batch, piece, run, colours);
  else
    store_as<kOutput, false>(batch, piece, run, colours);
}

MICROTOME_GPU_INLINE void store_colours(const ScatterBatch& batch, const ScatterPiece& piece, const Run& run,
                                        const Colours& colours) {
  if (batch.output == Output::same)
    store_laid_out<Output::same>(batch, piece, run, colours);
  else if (batch.output == Output::f16)
    store_laid_out<Output::f16>(batch, piece, run, colours);
  else
    store_laid_out<Output::f32>(batch, piece, run, colours);
}

MICROTOME_GPU_INLINE uint32_t output_bytes(const ScatterBatch& batch) {
  return batch.output == Output::same ? batch.sample_bytes : batch.output == Output::f16 ? 2 : 4;
}

MICROTOME_GPU_INLINE void copy_sample(uint64_t to, uint64_t from, uint32_t bytes) {
  if (bytes == 1)
    *reinterpret_cast<uint8_t*>(to) = load<uint8_t>(from);
  else if (bytes == 2)
    *reinterpret_cast<uint16_t*>(to) = load<uint16_t>(from);
  else if (bytes == 4)
    *reinterpret_cast<uint32_t*>(to) = load<uint32_t>(from);
  else
    *reinterpret_cast<uint64_t*>(to) = load<uint64_t>(from);
}

MICROTOME_GPU_INLINE void convert_sample(const ScatterBatch& batch, uint64_t to, uint64_t from, uint32_t c) {
  const float value = converted(load_number(batch, from), load<Affine>(batch.affine + c * sizeof(Affine)));
  if (batch.output == Output::f16)
    *reinterpret_cast<uint16_t*>(to) = to_half(value);
  else
    *reinterpret_cast<float*>(to) = value;
}

/// Any number of samples of any type, and background, one by one.
MICROTOME_GPU_INLINE void scatter_samples(const ScatterBatch& batch, const ScatterPiece& piece,
                                          const Run& run) {
  const bool fill = piece.source == PieceSource::fill, planes = piece.source == PieceSource::planes;
  const uint32_t bytes = output_bytes(batch), pixel = planes ? 1 : batch.samples * batch.sample_bytes;
  const Steps steps_to = steps(batch, piece, run);
  MICROTOME_GPU_NO_UNROLL
  for (uint32_t c = 0; c < batch.samples; ++c) {
    const uint64_t row = planes ? row_address(piece, static_cast<int>(c), run.y)
                                : row_address(piece, 0, run.y) + c * batch.sample_bytes;
    MICROTOME_GPU_NO_UNROLL
    for (int i = run.first; i < run.last; ++i) {
      const uint64_t at = steps_to.first + static_cast<uint32_t>(i) * steps_to.pixel + c * steps_to.sample;
      const uint64_t to = batch.pixels + at * bytes;
      const uint64_t from = fill ? batch.fill + c * bytes : row + static_cast<uint32_t>(run.x + i) * pixel;
      if (fill || batch.output == Output::same)
        copy_sample(to, from, bytes);
      else
        convert_sample(batch, to, from, c);
    }
  }
}

}  // namespace microtome::gpu::core
