"""Batches of patches, in order, decoded ahead of their consumer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _arguments, _core, _cuda, _levels, _locations, _output
from ._lazy import np
from .batch import Batch, PatchError
from .device_array import DeviceArray
from .slide import Slide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .slide import Fill, OnError

__all__ = ["Loader", "LoaderStats"]


def _warn(message: str, *arguments: object) -> None:
    """Tells the log "microtome"."""
    import logging  # here: it takes a third as long to import as all of this package

    logging.getLogger("microtome").warning(message, *arguments)


class LoaderStats(NamedTuple):
    """What one epoch of a loader has done so far.

    Exact once its last batch has come; before that, what is on its way is missing here and there.

    Attributes
    ----------
    batches : int
        Delivered.
    tiles : int
        Different tiles that the batches begun so far need.
    decoded : int
        Tiles given to a decoder. More than `tiles` where tiles had to be decoded again, because they did not fit what a
        loader keeps for later batches.
    reused : int
        Pieces of patches that were copied from a tile decoded for another piece.
    constant : int
        Tiles that were filled, their bytes being known to be one colour.
    twins : int
        Tiles that were copied from another tile of the same bytes.
    absent : int
        Tiles, once for each batch that needs them, that the file does not have.
    bytes_read : int
        Of compressed tiles.
    consumer_waited : float
        Seconds spent inside `next`, what it decodes itself included. Much of it beside little `workers_waited`:
        decoding is what everything waits for.
    workers_waited : float
        Seconds, summed over the workers, in which one had nothing to do: all that `prefetch` allows was decoded, or no
        thread was free. Much of it: the consumer is what everything waits for.
    own : int
        JPEG tiles among `decoded` whose pixels Microtome's own decoder gave.
    library : int
        JPEG tiles among `decoded` that it left to libjpeg-turbo.
    gpu : int
        Tiles among `decoded` that a GPU decoded.
    gpu_left : int
        Tiles that were meant for the GPU and left to the CPU: what its decoder refused, or said to have decoded and had
        not.
    by_cufile : int
        Tiles that cuFile read into the GPU's memory: nothing of them was decoded.
    cufile_failed : int
        Reads of such tiles that failed; with `gds="auto"` they came another way.
    gds : str
        How cuFile reads: "direct", "compat" (by the host's memory), or "": not at all.
    """

    batches: int = 0
    tiles: int = 0
    decoded: int = 0
    reused: int = 0
    constant: int = 0
    twins: int = 0
    absent: int = 0
    bytes_read: int = 0
    consumer_waited: float = 0.0
    workers_waited: float = 0.0
    own: int = 0
    library: int = 0
    gpu: int = 0
    gpu_left: int = 0
    by_cufile: int = 0
    cufile_failed: int = 0
    gds: str = ""


class Loader:
    """Reads patches of one or many slides, batch by batch.

    Each `iter(loader)` starts an epoch of its own; several may be alive at once. Order of batches and rows never
    depends on timing or on `workers`. A loader can be pickled if its slides can.

    Parameters
    ----------
    slides : Slide or sequence of Slide
        What the patches are read from.
    locations : array-like or iterable of int
        Level-0 x, y of each patch, as for `Slide.read`: a flat or nested list, tuple or generator, or an array of any
        integer dtype and memory layout, (N, 2) or (2N,). For a sequence of slides (N, 3) or (3N,): slide index, x, y.
    size : tuple of int
        (w, h) of each patch, in pixels of the level that is read.
    level, mpp, downsample, power
        As for `Slide.read`; for each slide its own level.
    batch_size : int
        Patches of a batch; the last one may have fewer.
    shuffle : bool
        Deliver in an order that is a pure function of `seed` and epoch.
    seed : int
        0 to 2**64 - 1.
    drop_last : bool
        Leave out a last batch that is not full.
    prefetch : int
        Batches decoded ahead of the one that was delivered last.
    workers : int, optional
        Threads that decode at most; 1 is the caller's alone, inside `next`. As many as there are CPUs, unless told.
    device : str
        "cpu", or "cuda" or "cuda:N": batches are then in memory of a GPU, their pixels `DeviceArray`; see docs/gpu.md.
    on_error : {"raise", "fill"}
        "fill" fills broken tiles and reports them in `Batch.errors`.
    fill : number or sequence of numbers
        What lies outside the slide and in absent tiles, for all channels or one for each.
    rank, world_size : int
        Deliver positions rank, rank + world_size, … of the epoch's order only.
    decode : {"auto", "cpu", "gpu"}
        On a GPU: what decodes the tiles. "cpu": the CPU. "gpu": the GPU's own decoders, nvJPEG and nvJPEG2000, alone;
        what they do not decode is an error. "auto": what gives the CPU's pixels, which is the CPU, unless
        `allow_inexact`.
    allow_inexact : bool
        On a GPU, with decode="auto": the GPU decodes what it can, the CPU the rest. Samples then may differ
        a little from the CPU's. `stats` says who decoded how many; a library that is missing is logged.
    device_memory_limit : int, optional
        On a GPU: bytes of its memory for decoded tiles, which batches that follow use again. 2 GiB or a tenth of what
        is free, unless told, and never more than an epoch can use. Batches come on top.
    stream : int or object, optional
        On a GPU: the stream on which batches are used where the consumer does not name one, as the CUDA array
        interface cannot: a pointer, or a stream of CuPy or PyTorch. It must live as long as the batches. The legacy
        default stream, unless told.
    gds : {"off", "auto", "on"}
        On a GPU: let cuFile read tiles that need no decoding (uncompressed, 64 KiB or more) into the GPU's memory.
        "auto" where the machine has GPUDirect Storage, and one warning says what is in the way; "on" by its compat
        mode too, and what is in the way is an error. `LoaderStats.gds` has what came of it.
    dtype : dtype, optional
        On a GPU: float32 or float16 instead of the slides' own.
    layout : {"NHWC", "NCHW"}
        On a GPU: how the axes of a batch stand, C being its channels.
    mean, std : number or sequence of numbers, optional
        On a GPU, with a float dtype: a batch has (sample - mean) / std, for all channels or one for each, in units of
        the slides' samples (0 to 255 where these are uint8). `fill` is a sample like the others.

    Raises
    ------
    TypeError, ValueError
        An argument that is not as above, naming it; slides whose channels or dtypes differ; a closed slide.
    IndexError
        No such level, or a slide index that the sequence does not have.
    UnsupportedError
        No stored level matches. From `iter`: `decode` is "gpu", and the tiles are packed as no decoder of a GPU takes.
    DeviceUnavailableError
        `device` is a GPU that is not there or cannot be used. From `iter`: `decode` is "gpu", and the library that
        decodes there is missing or refuses the GPU.

    Notes
    -----
    `next` raises what a worker met (`CorruptSlideError`, `OSError`, …), with slide, level and tile; that iterator is
    then at its end. Ctrl-C is seen when the batch that is being waited for has come.

    Examples
    --------
    >>> loader = mt.Loader(slide, [(0, 0), (256, 0), (512, 0)], (256, 256), batch_size=2)
    >>> len(loader)
    2
    >>> for batch in loader:
    ...     print(batch.pixels.shape, batch.locations.tolist())
    (2, 256, 256, 3) [[0, 0], [256, 0]]
    (1, 256, 256, 3) [[512, 0]]
    """

    def __init__(
        self,
        slides: Slide | Sequence[Slide],
        locations: Any,
        size: Iterable[int],
        *,
        level: int | None = None,
        mpp: float | None = None,
        downsample: float | None = None,
        power: float | None = None,
        batch_size: int = 64,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        prefetch: int = 2,
        workers: int | None = None,
        device: str = "cpu",
        on_error: OnError = "raise",
        fill: Fill = 255,
        rank: int = 0,
        world_size: int = 1,
        decode: Literal["auto", "cpu", "gpu"] = "auto",
        allow_inexact: bool = False,
        device_memory_limit: int | None = None,
        stream: Any = None,
        gds: Literal["off", "auto", "on"] = "off",
        dtype: Any = None,
        layout: Literal["NHWC", "NCHW"] = "NHWC",
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
    ) -> None:
        self._device = device
        self._ordinal = _arguments.device(device)
        self._set_device_options(decode, allow_inexact, device_memory_limit, stream, gds)
        if self._ordinal is None:
            _output.refuse(dtype=dtype, layout=(layout, "NHWC"), mean=mean, std=std)
        self._set_patches(slides, locations)
        self._levels = [_levels.resolve(slide, level, mpp, downsample, power) for slide in self._slides]
        self._size = _arguments.size(size)
        self._batch_size = _arguments.integer_from(batch_size, "batch_size", 1)
        self._shuffle = _arguments.flag(shuffle, "shuffle")
        self._seed = _arguments.seed(seed)
        self._drop_last = _arguments.flag(drop_last, "drop_last")
        self._prefetch = _arguments.integer_from(prefetch, "prefetch", 0)
        self._threads = (
            0 if workers is not None and _arguments.workers(workers) == 1 else _arguments.workers(workers)
        )
        self._fill_broken = _arguments.fill_broken(on_error)
        self._fill = _arguments.fill(fill, self._described(0)["dtype"])
        self._output = _output.checked(
            dtype, layout, mean, std, layouts=("NHWC", "NCHW"), described=self._described(0)
        )
        self._world_size = _arguments.integer_from(world_size, "world_size", 1)
        self._rank = _arguments.integer_from(rank, "rank", 0)
        if self._rank >= self._world_size:
            raise ValueError(
                f"rank = {self._rank}, expected 0 to {self._world_size - 1}: world_size is {world_size}"
            )
        self._epoch = 0
        self._prepare()

    def _set_device_options(self, decode, allow_inexact, memory_limit, stream, gds):
        _arguments.choice(gds, "gds", ("off", "auto", "on"))
        _arguments.choice(decode, "decode", ("auto", "cpu", "gpu"))
        allow_inexact = _arguments.flag(allow_inexact, "allow_inexact")
        given = {
            "decode": decode if decode == "gpu" else None,
            "allow_inexact": allow_inexact or None,
            "device_memory_limit": memory_limit,
            "stream": stream,
            "gds": gds if gds != "off" else None,
        }
        for name, value in given.items():
            if value is not None and self._ordinal is None:
                raise ValueError(f"{name} = {value!r} is of a GPU, and device is 'cpu'")
        if allow_inexact and decode != "auto":
            raise ValueError(f"allow_inexact is of decode='auto', and decode is {decode!r}")
        self._told = self._told_of_gds = False
        self._gds = {"off": "off", "auto": "any", "on": "only"}[gds]
        self._gds_mode = ""
        self._decode = "device" if decode == "gpu" else "any" if allow_inexact else "exact"
        self._memory_limit = (
            0 if memory_limit is None else _arguments.integer_from(memory_limit, "device_memory_limit", 1)
        )
        self._stream = _cuda.stream_number(stream)

    def _set_patches(self, slides, locations):
        single = isinstance(slides, Slide)
        self._slides = (slides,) if single else tuple(slides)
        for i, slide in enumerate(self._slides):
            if not isinstance(slide, Slide):
                raise TypeError(f"slides[{i}] is of type {type(slide).__name__}, expected a microtome.Slide")
        if not self._slides:
            raise ValueError("slides is empty, expected at least one slide")
        rows = _locations.as_rows(locations, 2 if single else 3)
        self._slide_of = np.zeros(len(rows), np.int64) if single else np.ascontiguousarray(rows[:, 0])
        self._locations = np.ascontiguousarray(rows[:, -2:])
        wrong = (self._slide_of < 0) | (self._slide_of >= len(self._slides))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise IndexError(
                f"locations[{at}]: slide {self._slide_of[at]}, expected 0 to {len(self._slides) - 1}"
            )

    def _prepare(self):
        self._lock = threading.Lock()
        self._meter = None
        cores = [slide._open_core() for slide in self._slides]
        self._patches = _core.Patches(cores, self._levels, self._slide_of, self._locations)
        first = self._pixel(0)
        for i in range(1, len(self._slides)):
            if self._pixel(i) != first:
                raise ValueError(
                    f"slides[{i}] has {self._pixel(i)} pixels and slides[0] {first}, expected the same for all"
                )

    def _described(self, slide):
        return self._slides[slide]._described["levels"][self._levels[slide]]

    def _pixel(self, slide):
        described = self._described(slide)
        return f"{described['channels']}×{described['dtype']}"

    def __len__(self) -> int:
        """Number of batches of an epoch (of this rank)."""
        count = max(0, -(-(len(self._locations) - self._rank) // self._world_size))
        return count // self._batch_size if self._drop_last else -(-count // self._batch_size)

    @property
    def epoch(self) -> int:
        """The epoch that the next `iter` begins: 0, then one more after each, or what `set_epoch` said."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Makes `epoch` the next one. Order is a pure function of (seed, epoch)."""
        epoch = _arguments.integer_from(epoch, "epoch", 0)
        with self._lock:
            self._epoch = epoch

    def __iter__(self) -> BatchIterator:
        """An iterator over this epoch's batches; its decoding ahead begins at once."""
        for slide in self._slides:
            slide._open_core()
        with self._lock:
            epoch = self._epoch
            self._epoch += 1
        count = len(self._locations)
        order = _core.order(count, self._shuffle, self._seed, epoch, self._rank, self._world_size)
        arguments = (
            self._patches,
            order,
            self._size,
            self._batch_size,
            self._drop_last,
            self._prefetch,
            self._threads,
            self._fill_broken,
            self._fill,
        )
        if self._ordinal is None:
            walk = _core.Pass(*arguments)
        else:
            decode, gds = _cuda.decode_arguments(self._decode), _cuda.gds_arguments(self._gds)
            walk = _core.DevicePass(
                *arguments, self._ordinal, self._memory_limit, self._stream, self._output, decode, gds
            )
            self._tell(walk.lacking)
            self._tell_of_gds(walk)
        self._meter = walk.meter()
        on_device = self._ordinal is not None
        return BatchIterator(walk, self._locations, self._slide_of, on_device, self._tell_of_gds)

    def _tell_of_gds(self, walk):
        """Notes how cuFile reads, and says once what was in its way: when an epoch begins, and when it has ended."""
        self._gds_mode, lacking = walk.direct
        if lacking and not self._told_of_gds:
            _warn("gds = 'auto': %s; pinned memory instead", lacking)
            self._told_of_gds = True

    def _tell(self, lacking):
        """Says once that the CPU decodes what a GPU's library would have decoded."""
        if lacking and not self._told:
            _warn("%s; the CPU decodes instead", lacking)
            self._told = True

    def stats(self) -> LoaderStats:
        """What the epoch begun last has done so far; zeros before the first.

        Any thread may call this at any moment, and as often as it likes.

        Examples
        --------
        >>> loader = mt.Loader(slide, mt.grid(slide, (256, 256)), (256, 256), batch_size=4)
        >>> for batch in loader:
        ...     pass
        >>> loader.stats().batches, loader.stats().tiles
        (3, 48)
        """
        return LoaderStats() if self._meter is None else LoaderStats(*self._meter.stats(), gds=self._gds_mode)

    def __getstate__(self):
        if self._stream != _cuda.stream_number(None):
            raise TypeError("a loader with stream= cannot be pickled: a stream is of its process")
        return {
            name: value for name, value in vars(self).items() if name not in ("_lock", "_meter", "_patches")
        }

    def __setstate__(self, state):
        vars(self).update(state)
        _arguments.device(self._device)
        self._prepare()

    def __repr__(self):
        w, h = self._size
        return (
            f"<microtome.Loader: {len(self._locations)} patches of {w}×{h} from {len(self._slides)} "
            f"slide{'s' * (len(self._slides) != 1)}, {len(self)} batches of {self._batch_size}>"
        )


class BatchIterator:
    """Batches of one epoch. Threads may share it: each batch goes to one of them."""

    __slots__ = ("_at_end", "_locations", "_on_device", "_slide_of", "_walk")

    def __init__(self, walk, locations, slide_of, on_device, at_end):
        self._at_end = at_end
        self._walk = walk
        self._on_device = on_device
        self._locations = locations
        self._slide_of = slide_of

    def __iter__(self) -> BatchIterator:
        return self

    def __len__(self) -> int:
        """Number of batches of the epoch, delivered or not."""
        return len(self._walk)

    def __next__(self) -> Batch:
        delivered = self._walk.next()
        if delivered is None:
            if self._on_device:
                self._at_end(self._walk)
            raise StopIteration
        pixels, indices, errors, number = delivered
        return Batch(
            DeviceArray(pixels) if self._on_device else pixels,
            self._locations.take(indices, 0),  # a fifth of the time that indexing takes
            indices,
            self._slide_of[indices],
            tuple(PatchError(row, message) for row, message in errors) if errors else (),
            number,
        )
