// Our kernels: scatter_core.h, a thread for each run; marks_core.h, a thread for each mark. Compiled by
// tools/make_kernels.py, whose result is kernels_image.inc.
#include "microtome/read/gpu/marks_core.h"
#include "microtome/read/gpu/scatter_core.h"

namespace gpu = microtome::gpu;

/// At least four blocks of a multiprocessor: up to 64 registers, which is enough for none to be spilled.
extern "C" __global__ void __launch_bounds__(gpu::kThreads, 4)
    microtome_scatter(const gpu::ScatterBatch batch, const gpu::ScatterPiece* pieces, uint32_t count) {
  gpu::scatter_thread(batch, pieces, count, blockIdx.x, threadIdx.x);
}

extern "C" __global__ void microtome_set_marks(const gpu::Mark* marks, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) gpu::set_mark(marks[i]);
}

extern "C" __global__ void microtome_look_for_marks(const gpu::Mark* marks, uint32_t count, uint8_t* answers) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) answers[i] = gpu::is_marked(marks[i]);
}
