"""What is made of ptxas's account, and of the image; the compiler itself runs in the suite "kernels"."""

import make_kernels

KERNEL = """ptxas info    : Compiling entry function '{0}' for 'sm_{1}'
ptxas info    : Function properties for {0}
    {2} bytes stack frame, {3} bytes spill stores, {4} bytes spill loads
ptxas info    : Used 48 registers, used 0 barriers
"""


def account(**changed):
    return "".join(
        KERNEL.format(
            name, capability, *(changed if name == "scatter" else {}).get(f"sm_{capability}", (0, 0, 0))
        )
        for capability in make_kernels.COMPUTE_CAPABILITIES
        for name in ("scatter", "set_marks", "look_for_marks")
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
    assert said.startswith("ptxas told of 0 kernels, expected 18")


def test_the_image_that_is_checked_in_is_a_fatbin():
    words = [word for line in make_kernels.IMAGE.read_text().splitlines()[1:] for word in line.split()]
    image = b"".join(int(word.rstrip(","), 16).to_bytes(8, "little") for word in words)
    assert image[:4] == b"\x50\xed\x55\xba"
    assert make_kernels.as_source(image) == make_kernels.IMAGE.read_text()
