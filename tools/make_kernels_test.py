"""What is made of ptxas's account, and of the image; the compiler itself runs in the suite "kernels"."""

import make_kernels

KERNEL = """ptxas info    : Compiling entry function 'scatter' for 'sm_{0}'
ptxas info    : Function properties for scatter
    {1} bytes stack frame, {2} bytes spill stores, {3} bytes spill loads
ptxas info    : Used 48 registers, used 0 barriers
"""


def account(**changed):
    return "".join(
        KERNEL.format(capability, *changed.get(f"sm_{capability}", (0, 0, 0)))
        for capability in make_kernels.COMPUTE_CAPABILITIES
    )


def test_kernels_without_spills_are_well():
    assert make_kernels.spills(account()) == []


def test_each_kernel_that_spills_is_named():
    assert make_kernels.spills(account(sm_90=(8, 4, 12), sm_120=(16, 0, 0))) == [
        "scatter for sm_90: 8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads",
        "scatter for sm_120: 16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads",
    ]


def test_an_account_that_lacks_a_kernel_is_no_good_sign():
    (said,) = make_kernels.spills("")
    assert said.startswith("ptxas told of 0 kernels, expected 6")


def test_the_image_that_is_checked_in_is_a_fatbin():
    words = [word for line in make_kernels.IMAGE.read_text().splitlines()[1:] for word in line.split()]
    image = b"".join(int(word.rstrip(","), 16).to_bytes(8, "little") for word in words)
    assert image[:4] == b"\x50\xed\x55\xba"
    assert make_kernels.as_source(image) == make_kernels.IMAGE.read_text()
