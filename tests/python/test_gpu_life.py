"""What device="cuda" leaves behind, forks, a fault at every call, lost devices, on the FAKE driver; see fake_gpu.py."""

import fake_gpu
import pytest
from fake_gpu import run

pytestmark = fake_gpu.needed

LIFE = """
consumer = Consumer(device=1)
before = consumer.report()
with mt.open(<path>) as slide:
    loader = mt.Loader(slide, mt.grid(slide, (64, 64)), (64, 64), batch_size=8, device="cuda:1", prefetch=3)
    kept = []
    for i, batch in enumerate(loader):
        if i % 5 == 0:
            kept.append((consumer.take(batch), batch.locations))
        if i == 12:
            break
    del batch
    two = zip(mt.Loader(slide, [(0, 0), (9, 9)], (64, 64), device="cuda:1"),
              mt.Loader(slide, [(0, 0), (9, 9)], (64, 64), device="cuda:0"))
    for one, other in two:
        assert one.pixels.device == "cuda:1" and other.pixels.device == "cuda:0"
        assert other.__dlpack_device__() == (2, 0)
        same(one.pixels.to_host(), other.pixels.to_host())
    del one, other, two
for taken, locations in kept:
    with mt.open(<path>) as slide:
        same(consumer.copy(taken.address, taken.shape, taken.dtype),
             np.stack([slide.read(tuple(p), (64, 64)) for p in locations.tolist()]))
    taken.drop()
after = consumer.report()
assert (after.memory_blocks, after.pinned_blocks, after.streams) == (0, 0, before.streams), vars(after)
assert after.events == 0
print(after.modules, after.contexts)
clean(consumer)
"""


def test_all_is_given_back_but_what_stays_for_the_process(pyramid):
    # A module and a context of each device: of those that were used, and the consumer's own.
    assert run(LIFE, settings="devices=2,delay=100", path=pyramid.path) == "2 2\n"


FORK = """
import os
with mt.open(<path>) as slide:
    loader = iter(mt.Loader(slide, [(0, 0)] * 40, (64, 64), batch_size=4, device="cuda"))
    batch = next(loader)
    child = os.fork()
    if child == 0:
        for ask in (lambda: next(loader), lambda: slide.read((0, 0), (8, 8), device="cuda"),
                    lambda: mt.Loader(slide, [(0, 0)], (8, 8), device="cuda")):
            try:
                ask()
            except mt.DeviceUnavailableError as error:
                print("made by fork" in str(error), flush=True)
        del loader, batch
        print(slide.read((0, 0), (8, 8)).shape, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(len(list(loader)), flush=True)
"""


def test_a_forked_child_is_told_and_its_parent_goes_on(pyramid):
    assert run(FORK, path=pyramid.path).splitlines() == ["True", "True", "True", "(8, 8, 3)", "9"]


FAULTS = """
import ctypes
consumer = Consumer()
configure = consumer.lib.fake_cuda_configure
with mt.open(<path>) as slide:
    places = [(40 * i, 31 * i) for i in range(16)]
    expected = [slide.read(place, (16, 12)) for place in places]
    def attempt():
        batches = mt.Loader(slide, places, (16, 12), batch_size=1, workers=2, device="cuda", decode=<decode>)
        pixels = np.concatenate([batch.pixels.to_host() for batch in batches])
        one = slide.read(places[1], (16, 12), device="cuda").to_host()
        return all(map(np.array_equal, pixels, expected)) and np.array_equal(one, expected[1])
    configure(b"")
    assert attempt()
    configure(b"")                          # and from here on the calls that there are each time
    assert attempt()
    calls = consumer.report().calls
    right = refused = 0
    for k in range(1, 301):
        answer = (2, 999, 400)[k % 3]
        configure(f"fail_at={k},fail_with={answer}".encode())
        try:
            assert attempt(), k
            right += 1
        except (mt.Error, MemoryError):
            refused += 1
    configure(b"")
    assert attempt()                        # and it goes on
print(calls >= 300, right > 0, refused > 100)  # a context that is not popped is no error
"""


@pytest.mark.parametrize("decode", ["auto", "gpu"])
def test_a_fault_at_each_of_300_calls_is_an_exception_or_the_right_pixels(jpeg_path, decode):
    assert run(FAULTS, settings="", path=jpeg_path, decode=decode) == "True True True\n"


LOST = """
consumer = Consumer()
with mt.open(<path>) as slide:
    loader = iter(mt.Loader(slide, [(0, 0)] * 40, (64, 64), batch_size=4, device="cuda"))
    next(loader)
    consumer.lib.fake_cuda_configure(b"lost_at=10")
    for _ in range(3):
        try:
            for batch in loader:
                pass
            slide.read((0, 0), (8, 8), device="cuda")
        except mt.DeviceUnavailableError as error:
            print("it must be started anew" in str(error))
    print(slide.read((0, 0), (8, 8)).shape)
"""


def test_a_lost_device_says_so_and_the_cpu_goes_on(pyramid):
    assert run(LOST, path=pyramid.path).splitlines() == ["True"] * 3 + ["(8, 8, 3)"]
