// The fake driver: our own kernels, whose host builds it runs. So a module made from the real image works, in
// C++ and in Python tests alike.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

#include "microtome/read/gpu/marks_core.h"
#include "microtome/read/gpu/scatter_core.h"
#include "tests/fake_cuda/state.h"

namespace fake {
namespace {

using microtome::gpu::Affine;
using microtome::gpu::Chroma;
using microtome::gpu::Mark;
using microtome::gpu::Output;
using microtome::gpu::PieceSource;
using microtome::gpu::ScatterBatch;
using microtome::gpu::ScatterPiece;

/// The device's bytes that a launch touches. What overlaps or touches is one access, so that the race
/// detector has few.
class Memory {
 public:
  void add(uint64_t address, uint64_t bytes, bool writes) {
    if (bytes > 0) spans_.push_back({address, address + bytes, writes, nullptr});
  }

  /// False: some of it is not there, and the device is lost.
  bool touch() {
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
      return a.writes != b.writes ? a.writes < b.writes : a.begin < b.begin;
    });
    std::vector<Span> merged;
    for (const Span& span : spans_) {
      if (!merged.empty() && merged.back().writes == span.writes && span.begin <= merged.back().end)
        merged.back().end = std::max(merged.back().end, span.end);
      else
        merged.push_back(span);
    }
    for (Span& span : merged) {
      span.host = static_cast<std::byte*>(fake_cuda_memory(span.begin, span.end - span.begin, span.writes));
      if (!span.host) return false;
    }
    spans_ = std::move(merged);
    return true;
  }

  /// Where the host has the byte at a device's address that was added.
  uint64_t on_host(uint64_t address) const {
    for (const Span& span : spans_)
      if (address >= span.begin && address < span.end)
        return reinterpret_cast<uint64_t>(span.host + (address - span.begin));
    return 0;
  }

 private:
  struct Span {
    uint64_t begin, end;
    bool writes;
    std::byte* host;
  };
  std::vector<Span> spans_;
};

bool halves_columns(const ScatterPiece& piece, int plane) {
  return plane > 0 && piece.chroma != Chroma::whole && piece.chroma != Chroma::down;
}

bool halves_rows(const ScatterPiece& piece, int plane) {
  return plane > 0 && piece.chroma != Chroma::whole && piece.chroma != Chroma::across &&
         piece.chroma != Chroma::across_repeat;
}

/// Of one plane, or of pixels: all rows that the piece takes samples from.
void add_source(const ScatterPiece& piece, int plane, uint64_t pixel_bytes, Memory& memory) {
  uint64_t first = piece.src_y, last = piece.src_y + piece.h - 1, begin = piece.src_x * pixel_bytes;
  uint64_t end = begin + piece.w * pixel_bytes;
  if (halves_rows(piece, plane)) {
    first = first / 2 > 0 ? first / 2 - 1 : 0;
    last = std::min<uint64_t>(last / 2 + 1, piece.chroma_h - 1);
  }
  if (halves_columns(piece, plane)) {
    begin = 0;
    end = piece.chroma_w;
  }
  for (uint64_t y = first; y <= last; ++y)
    memory.add(piece.plane[plane] + y * piece.pitch[plane] + begin, end - begin, false);
}

void add_target(const ScatterBatch& batch, const ScatterPiece& piece, Memory& memory) {
  const uint64_t bytes = microtome::gpu::core::output_bytes(batch);
  const uint64_t planes = batch.planar ? batch.samples : 1,
                 step = batch.planar ? bytes : bytes * batch.samples;
  for (uint64_t plane = 0; plane < planes; ++plane) {
    for (uint64_t y = piece.y; y < piece.y + piece.h; ++y) {
      const uint64_t pixel = ((piece.image * planes + plane) * batch.height + y) * batch.width + piece.x;
      memory.add(batch.pixels + pixel * step, piece.w * step, true);
    }
  }
}

/// Planes of the piece that are read.
int sources(const ScatterBatch& batch, const ScatterPiece& piece) {
  if (piece.source == PieceSource::fill) return 0;
  return piece.source == PieceSource::pixels ? 1 : static_cast<int>(batch.samples);
}

void scatter(const FakeLaunch* launch) {
  ScatterBatch batch;
  uint64_t address = 0;
  uint32_t count = 0;
  std::memcpy(&batch, launch->arguments[0], sizeof batch);
  std::memcpy(&address, launch->arguments[1], sizeof address);
  std::memcpy(&count, launch->arguments[2], sizeof count);
  const void* listed = fake_cuda_memory(address, count * sizeof(ScatterPiece), false);
  if (!listed) return;
  std::vector<ScatterPiece> pieces(count);
  std::memcpy(pieces.data(), listed, count * sizeof(ScatterPiece));

  Memory memory;
  const uint64_t pixel_bytes = uint64_t{batch.samples} * batch.sample_bytes;
  for (const ScatterPiece& piece : pieces) {
    const bool planes = piece.source == PieceSource::planes;
    for (int i = 0; i < sources(batch, piece); ++i) add_source(piece, i, planes ? 1 : pixel_bytes, memory);
    add_target(batch, piece, memory);
    if (piece.source == PieceSource::fill)
      memory.add(batch.fill, batch.samples * microtome::gpu::core::output_bytes(batch), false);
    else if (batch.output != Output::same)
      memory.add(batch.affine, batch.samples * sizeof(Affine), false);
  }
  if (!memory.touch()) return;

  // What the kernel reads and writes may begin behind its address: what is translated is a row of it.
  for (ScatterPiece& piece : pieces) {
    for (int i = 0; i < sources(batch, piece); ++i) {
      const uint64_t row = halves_rows(piece, i) ? piece.src_y / 2 : piece.src_y;
      const uint64_t column = halves_columns(piece, i)              ? 0
                              : piece.source == PieceSource::planes ? piece.src_x
                                                                    : piece.src_x * pixel_bytes;
      const uint64_t touched = piece.plane[i] + row * piece.pitch[i] + column;
      piece.plane[i] += memory.on_host(touched) - touched;
    }
  }
  const ScatterPiece& first = pieces.front();
  const uint64_t planes = batch.planar ? batch.samples : 1;
  const uint64_t pixel = (first.image * planes * batch.height + first.y) * batch.width + first.x;
  const uint64_t touched =
      batch.pixels + pixel * (batch.planar ? 1 : batch.samples) * microtome::gpu::core::output_bytes(batch);
  batch.pixels += memory.on_host(touched) - touched;
  batch.fill = memory.on_host(batch.fill);
  batch.affine = memory.on_host(batch.affine);
  for (unsigned block = 0; block < launch->blocks[0]; ++block)
    for (unsigned thread = 0; thread < launch->threads[0]; ++thread)
      microtome::gpu::scatter_thread(batch, pieces.data(), count, block, thread);
}

/// Both kernels of marks: the addresses of these are of the device, and where the host has the bytes is asked
/// for.
void each_mark(const FakeLaunch* launch, bool sets) {
  uint64_t address = 0, answers_at = 0;
  uint32_t count = 0;
  std::memcpy(&address, launch->arguments[0], sizeof address);
  std::memcpy(&count, launch->arguments[1], sizeof count);
  const auto* const marks = static_cast<const Mark*>(fake_cuda_memory(address, count * sizeof(Mark), false));
  uint8_t* answers = nullptr;
  if (!sets) {
    std::memcpy(&answers_at, launch->arguments[2], sizeof answers_at);
    answers = static_cast<uint8_t*>(fake_cuda_memory(answers_at, count, true));
  }
  if (!marks || (!sets && !answers)) return;
  for (uint32_t i = 0; i < std::min(count, launch->blocks[0] * launch->threads[0]); ++i) {
    Mark mark = marks[i];
    const void* const host = fake_cuda_memory(mark.address, mark.bytes, sets);
    if (!host) return;
    mark.address = reinterpret_cast<uint64_t>(host);
    if (sets) {
      microtome::gpu::set_mark(mark);
    } else {
      answers[i] = microtome::gpu::is_marked(mark);
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  const size_t bytes[] = {sizeof(ScatterBatch), sizeof(uint64_t), sizeof(uint32_t)};
  fake_cuda_register_kernel("microtome_scatter", bytes, std::size(bytes), scatter);
  const size_t marks[] = {sizeof(uint64_t), sizeof(uint32_t), sizeof(uint64_t)};
  fake_cuda_register_kernel("microtome_set_marks", marks, 2,
                            [](const FakeLaunch* launch) { each_mark(launch, true); });
  fake_cuda_register_kernel("microtome_look_for_marks", marks, 3,
                            [](const FakeLaunch* launch) { each_mark(launch, false); });
  return true;
}();

}  // namespace
}  // namespace fake
