// Streams of the fake driver, for its other parts.
#pragma once

#include "tests/fake_cuda/state.h"

namespace fake {

/// Gives an operation to a stream. Errors: a stream that is not alive, or of another device than `device`.
DriverStatus enqueue(microtome::cuda::StreamHandle stream, int device, microtome::cuda::Operation operation);

/// Gives an operation to an engine beside the streams, of which `stream` waits for its end: what `stream` is
/// given from now on comes after it. Only if `ordered` is it the other way round too, that it begins when
/// what `stream` was given before is done. Errors as enqueue's.
DriverStatus enqueue_on_engine(microtome::cuda::StreamHandle stream, int device, int engine, bool ordered,
                               microtome::cuda::Operation operation);

/// What the calling thread is doing: a stream's operation; null on the host's threads.
struct Running {
  microtome::cuda::StreamObject* stream;
  const char* operation;
};
const Running* running();

/// Waits until the stream has nothing to do; returns at once if it is not alive.
void wait_for_stream(microtome::cuda::StreamHandle stream);

}  // namespace fake
