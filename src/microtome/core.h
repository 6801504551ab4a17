// All of Microtome, for programs that are not part of it: the bindings, examples, benchmarks.
//
// The core's own files include what they use, one header each.
#pragma once

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/codec/codec.h"
#include "microtome/device/buffer.h"
#include "microtome/exec/executor.h"
#include "microtome/io/byte_source.h"
#include "microtome/loader/loader.h"
#include "microtome/loader/order.h"
#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/reader.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"
#include "microtome/tiff/directory.h"
#include "microtome/tiff/lazy_array.h"
