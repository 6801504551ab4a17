// Declarations that are wrong in the ways that matter. Compiled once for each WRONG, and each must not
// compile: a check that cannot fail checks nothing.
#include <nvjpeg.h>

#include <cstddef>
#include <utility>

#include "microtome/device/cuda/nvjpeg_api.h"
#include "tests/abi/same_abi.h"

namespace cuda = microtome::cuda;

enum class WrongStatus : unsigned { bad_jpeg = 4 };
struct WrongImage {
  unsigned char* channel[3];
  size_t pitch[4];
};
MICROTOME_COUNTERPART(cuda::NvjpegStatus, nvjpegStatus_t);
MICROTOME_COUNTERPART(cuda::NvjpegObject, nvjpegHandle);
MICROTOME_COUNTERPART(cuda::NvjpegStateObject, nvjpegJpegState);

#if WRONG == 0  // right: compiles
MICROTOME_SAME_FUNCTION(required, nvjpegJpegStateCreate, cuda::NvjpegStatus,
                        (cuda::NvjpegHandle, cuda::NvjpegState*))
#elif WRONG == 1  // a value
MICROTOME_SAME_VALUE(WrongStatus::bad_jpeg, NVJPEG_STATUS_BAD_JPEG);
#elif WRONG == 2  // a size
MICROTOME_SAME_STRUCT(WrongImage, nvjpegImage_t);
#elif WRONG == 3  // an offset
MICROTOME_SAME_MEMBER(WrongImage, pitch, nvjpegImage_t, pitch);
#elif WRONG == 4  // the order of parameters
MICROTOME_SAME_FUNCTION(required, nvjpegJpegStateCreate, cuda::NvjpegStatus,
                        (cuda::NvjpegState*, cuda::NvjpegHandle))
#elif WRONG == 5  // a handle for another
MICROTOME_SAME_FUNCTION(required, nvjpegJpegStateDestroy, cuda::NvjpegStatus, (cuda::NvjpegHandle))
#elif WRONG == 6  // constness
MICROTOME_SAME_FUNCTION(required, nvjpegJpegStreamParseHeader, cuda::NvjpegStatus,
                        (cuda::NvjpegHandle, unsigned char*, size_t, nvjpegJpegStream_t))
#elif WRONG == 7  // an integer's width
MICROTOME_SAME_FUNCTION(required, nvjpegGetDeviceMemoryPadding, cuda::NvjpegStatus,
                        (unsigned*, cuda::NvjpegHandle))
#endif
