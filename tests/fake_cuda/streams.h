// Streams of the fake driver, for its other parts.
#pragma once

#include <functional>

#include "tests/fake_cuda/state.h"

namespace fake {

/// Gives `work` to a stream. Errors: a stream that is not alive, or of another device than `device`.
DriverStatus enqueue(microtome::cuda::StreamHandle stream, int device, std::function<void()> work);

/// Waits until the stream has nothing to do; returns at once if it is not alive.
void wait_for_stream(microtome::cuda::StreamHandle stream);

}  // namespace fake
