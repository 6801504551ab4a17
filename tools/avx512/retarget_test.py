"""tools/avx512: each instruction against what NumPy computes, and code that cannot be retargeted."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

RETARGET = Path(__file__).with_name("retarget.py")
FLAGS = [
    "-O2",
    "-fPIC",
    "-mavx512f",
    "-mavx512bw",
    "-mavx512dq",
    "-mavx512vl",
    "-mavx512vbmi",
    "-mavx512vbmi2",
]

pytestmark = pytest.mark.skipif(shutil.which("clang++-14") is None, reason="clang-14 is not installed")

FUNCTION = """
extern "C" void {name}(const __m512i* x, __m512i* result) {{
  const __m512i a = x[0], b = x[1], c = x[2];
  *result = {code};
}}
"""
FLOATS = "_mm512_castps_si512({}(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)))"
DOT = """[&] { __m512i sum = c; const int pair = (2260 << 16) + 6437;
    asm("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(pair)); return sum; }()"""


def halves(values, kind):
    return values.view(kind).astype(np.int64)


def saturated(values, kind):
    return np.clip(values, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)


def pair_sums(products):
    return products[0::2] + products[1::2]


def packed(a, b, wide, narrow):
    """Lane by lane of 128 bits: those of a, then those of b."""
    lanes = 4
    both = [saturated(halves(x, wide), narrow).reshape(lanes, -1) for x in (a, b)]
    return np.concatenate(both, axis=1).ravel()


def two(kind):
    elements = 64 // np.dtype(kind).itemsize
    return lambda a, b, c: np.concatenate([a.view(kind), c.view(kind)])[halves(b, kind) & (2 * elements - 1)]


def shuffled(a, b):
    lane = np.arange(64) // 16 * 16
    return np.where(b & 0x80, 0, a[lane + (b & 15)])


def logic(table):
    def expected(a, b, c):
        bits = [np.unpackbits(x) for x in (a, b, c)]
        return np.packbits(table >> (bits[0] << 2 | bits[1] << 1 | bits[2]) & 1)

    return expected


def compressed(a, b, c):
    kept = np.unpackbits(c[:8], bitorder="little").astype(bool)
    return np.concatenate([a[kept], b[kept.sum() :]])


# name: (code on a, b and c, what NumPy computes of their bytes)
INSTRUCTIONS = {
    "madd": ("_mm512_madd_epi16(a, b)", lambda a, b, c: pair_sums(halves(a, "i2") * halves(b, "i2")).astype("i4")),
    "maddubs": (
        "_mm512_maddubs_epi16(a, b)",
        lambda a, b, c: saturated(pair_sums(halves(a, "u1") * halves(b, "i1")), "i2"),
    ),
    "mulhrs": (
        "_mm512_mulhrs_epi16(a, b)",
        lambda a, b, c: ((halves(a, "i2") * halves(b, "i2") + 0x4000) >> 15).astype("i2"),
    ),
    "packus16": ("_mm512_packus_epi16(a, b)", lambda a, b, c: packed(a, b, "i2", "u1")),
    "packs16": ("_mm512_packs_epi16(a, b)", lambda a, b, c: packed(a, b, "i2", "i1")),
    "packus32": ("_mm512_packus_epi32(a, b)", lambda a, b, c: packed(a, b, "i4", "u2")),
    "packs32": ("_mm512_packs_epi32(a, b)", lambda a, b, c: packed(a, b, "i4", "i2")),
    "shuffle": ("_mm512_shuffle_epi8(a, b)", lambda a, b, c: shuffled(a, b)),
    "minimum": (FLOATS.format("_mm512_min_ps"), lambda a, b, c: np.minimum(a.view("f4"), b.view("f4"))),
    "maximum": (FLOATS.format("_mm512_max_ps"), lambda a, b, c: np.maximum(a.view("f4"), b.view("f4"))),
    "permute8": ("_mm512_permutexvar_epi8(b, a)", lambda a, b, c: a[b & 63]),
    "permute64": ("_mm512_permutexvar_epi64(b, a)", lambda a, b, c: a.view("i8")[b.view("i8") & 7]),
    "two8": ("_mm512_permutex2var_epi8(a, b, c)", two("u1")),
    "two16": ("_mm512_permutex2var_epi16(a, b, c)", two("i2")),
    "two64": ("_mm512_permutex2var_epi64(a, b, c)", two("i8")),
    **{
        f"logic_{table}": (f"_mm512_ternarylogic_epi32(a, b, c, {table})", logic(table))
        for table in (0x96, 0xCA, 0xE8, 0x1D)
    },
    "compress": (
        "_mm512_mask_compress_epi8(b, _mm_cvtsi128_si64(_mm512_castsi512_si128(c)), a)",
        compressed,
    ),
    "dot": (
        DOT,
        lambda a, b, c: (
            halves(c, "i4") + pair_sums(halves(a, "i2") * np.tile([6437, 2260], 16))
        ).astype("i4"),
    ),
    # Clang has no intrinsics for these: they stand for all that instructions.c need not know.
    "blend": (
        "_mm512_mask_blend_epi16(_mm512_cmpgt_epi16_mask(a, b), a, c)",
        lambda a, b, c: np.where(a.view("i2") > b.view("i2"), c.view("i2"), a.view("i2")),
    ),
    "part": (
        "_mm512_maskz_loadu_epi8(0x00FF00FF00FF00FFull, x)",
        lambda a, b, c: np.where(np.arange(64) % 16 < 8, a, 0).astype("u1"),
    ),
}  # fmt: skip


def compiled(folder, code):
    source = folder / "code.cc"
    source.write_text(f"#include <immintrin.h>\n{code}")
    command = [RETARGET, "clang++-14", *FLAGS, "-o", folder / "code.o", "-c", source]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retarget")
    ended = compiled(folder, "".join(FUNCTION.format(name=n, code=c) for n, (c, _) in INSTRUCTIONS.items()))
    assert ended.returncode == 0, ended.stderr
    subprocess.run(["clang++-14", "-shared", folder / "code.o", "-o", folder / "code.so"], check=True)
    listed = subprocess.run(["objdump", "-d", folder / "code.so"], capture_output=True, text=True, check=True)
    assert "ymm" in listed.stdout
    assert "zmm" not in listed.stdout
    return ctypes.CDLL(str(folder / "code.so"))


def aligned(bytes_):
    memory = np.zeros(bytes_ + 63, np.uint8)
    begin = -memory.ctypes.data % 64
    return memory[begin : begin + bytes_]


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_an_instruction_computes_what_numpy_does(library, name):
    random = np.random.default_rng(7)
    given, result = aligned(3 * 64), aligned(64)
    for round_ in range(200):
        given[:] = random.integers(0, 256, given.size)
        if name in ("minimum", "maximum"):
            given[:128] = random.normal(0, 1000, 32).astype("f4").view("u1")
        elif round_ % 4 == 0:  # where sums and products saturate
            given.view("i2")[random.random(96) < 0.7] = random.choice([-32768, 32767])
        getattr(library, name)(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(result.ctypes.data))
        expected = INSTRUCTIONS[name][1](*given.reshape(3, 64))
        np.testing.assert_array_equal(result.view(expected.dtype), expected)


def test_an_instruction_that_is_not_there_is_named(tmp_path):
    ended = compiled(tmp_path, FUNCTION.format(name="f", code="_mm512_sad_epu8(a, b)"))
    assert ended.returncode != 0
    assert "not in instructions.c: avx512_psad_bw_512" in ended.stderr


def test_assembly_that_is_not_known_is_shown(tmp_path):
    code = '[&] { __m512i r = c; asm("vpdpwssd %1, %1, %0" : "+v"(r) : "v"(a)); return r; }()'
    ended = compiled(tmp_path, FUNCTION.format(name="f", code=code))
    assert ended.returncode != 0
    assert "assembly that it does not know" in ended.stderr
