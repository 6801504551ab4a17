// The scatter kernel: scatter_core.h, a thread for each run. Compiled by tools/make_kernels.py, whose result is
// scatter_kernel.inc.
#include "microtome/read/gpu/scatter_core.h"

namespace gpu = microtome::gpu;

/// At least four blocks of a multiprocessor: up to 64 registers, which is enough for none to be spilled.
extern "C" __global__ void __launch_bounds__(gpu::kThreads, 4)
    microtome_scatter(const gpu::ScatterBatch batch, const gpu::ScatterPiece* pieces, uint32_t count) {
  gpu::scatter_thread(batch, pieces, count, blockIdx.x, threadIdx.x);
}
