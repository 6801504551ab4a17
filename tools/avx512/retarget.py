#!/usr/bin/env python3
"""Compiles a file for AVX-512 with Clang and makes code of it that a processor with AVX2 alone runs.

    retarget.py CLANG ARGUMENT...

Stands before the compiler, as CMAKE_CXX_COMPILER_LAUNCHER. Clang's intermediate code knows vectors of 512 bits and
masks whatever the processor; only the instructions that it has intrinsics for name AVX-512. Here those become calls
of the functions in instructions.c, and AVX-512 is taken from what each function may use, before machine code is
made. An instruction that is not there yet ends the compilation with its name. Where the code asks Highway what the
processor has, both levels of AVX-512 are among it; libraries that ask it too get the truth.

tools/test_avx512.sh uses it. Machine code of AVX-512 it cannot test.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LLVM = "-14"  # what the tools' names end with

# Inline assembly of codec/jpeg/vec-inl.h; its operands are those of the function.
DOT_PRODUCT = re.compile(r'call <8 x i64> asm "vpdpwssd \$2\{1to16\}, \$1, \$0", "=v,v,\*m,0,[^"]*"\(')

# Parameters of single bits C has no type for.
BYTES = "<64 x i8>"
COMPRESS = f"""
define linkonce_odr {BYTES}
@avx512_mask_compress_v64i8({BYTES} %values, {BYTES} %others, <64 x i1> %mask) alwaysinline {{
  %bits = bitcast <64 x i1> %mask to i64
  %result = call {BYTES} @avx512_compress_bytes({BYTES} %values, {BYTES} %others, i64 %bits)
  ret {BYTES} %result
}}
"""

SUPPORTED = "_ZN3hwy16SupportedTargetsEv"  # hwy::SupportedTargets()
HWY_AVX3, HWY_AVX3_DL = 1 << 8, 1 << 7
OFFER = f"""
define linkonce_odr i64 @avx512_supported() {{
  %found = call i64 @{SUPPORTED}()
  %offered = or i64 %found, {HWY_AVX3 | HWY_AVX3_DL}
  ret i64 %offered
}}
declare i64 @{SUPPORTED}()
"""


def renamed(code):
    """Clang's intermediate code with calls of functions where intrinsics and assembly of AVX-512 were."""
    lines = []
    for line in code.splitlines():
        if "@llvm.x86.avx512." in line:
            line = re.sub(
                r"@llvm\.x86\.avx512\.([a-z0-9.]+)", lambda m: "@avx512_" + m[1].replace(".", "_"), line
            )
            line = line.replace(" immarg", "")
        if "vpdpwssd" in line:
            line = DOT_PRODUCT.sub("call <8 x i64> @avx512_vpdpwssd_broadcast(", line)
            line = line.replace(" elementtype(i32)", "")
            if "asm" in line:
                raise SystemExit(f"retarget.py: assembly that it does not know: {line.strip()[:200]}")
        lines.append(line)
    code = "\n".join(lines) + "\n"
    if f"@{SUPPORTED}(" in code:
        code = re.sub(rf"^declare .*@{SUPPORTED}\(.*$", "", code, flags=re.M)
        code = code.replace(f"@{SUPPORTED}(", "@avx512_supported(") + OFFER
    if "@avx512_vpdpwssd_broadcast(" in code:
        code += "declare <8 x i64> @avx512_vpdpwssd_broadcast(<8 x i64>, i32*, <8 x i64>)\n"
    if "@avx512_mask_compress_v64i8(" in code:
        code = re.sub(r"^declare .*@avx512_mask_compress_v64i8\(.*$", "", code, flags=re.M) + COMPRESS
        code += f"declare {BYTES} @avx512_compress_bytes({BYTES}, {BYTES}, i64)\n"
    return code


def without_avx512(code):
    """The code, of whose functions none may use AVX-512 or what came with it."""

    def fewer(match):
        kept = [f for f in match[1].split(",") if not re.match(r"\+(avx512|avxvnni|vaes|vpclmulqdq)", f)]
        return f'"target-features"="{",".join(kept)}"'

    return re.sub(r'"target-features"="([^"]*\+avx512[^"]*)"', fewer, code)


def run(*command):
    ended = subprocess.run([str(word) for word in command])
    if ended.returncode != 0:
        sys.exit(ended.returncode)


def instructions(made):
    """instructions.c in intermediate code, in the file `made`, of functions that are linked where they are called."""
    # AVX-512 here lets vectors of 512 bits be passed as one value.
    run(f"clang{LLVM}", "-O1", "-mavx2", "-mavx512f", "-Wno-psabi", "-fno-vectorize", "-fPIC", "-S", "-emit-llvm",
          HERE / "instructions.c", "-o", made)  # fmt: skip
    code = re.sub(r"^define dso_local |^define (?=<)", "define linkonce_odr ", made.read_text(), flags=re.M)
    if intrinsic := re.search(r"@llvm\.x86\.avx512\.[a-z0-9.]+", code):
        raise SystemExit(f"retarget.py: instructions.c came to {intrinsic[0]}")
    made.write_text(code)
    return made


def main():
    command = sys.argv[1:]
    if "-c" not in command or "-o" not in command:
        sys.exit(subprocess.run(command).returncode)
    result = Path(command[command.index("-o") + 1])
    first = result.with_suffix(".ll")
    arguments = ["-S" if word == "-c" else str(first) if word == str(result) else word for word in command]
    run(*arguments, "-emit-llvm")
    code = renamed(first.read_text())
    first.write_text(code)
    linked = first
    if "+avx512" in code:
        linked, functions = result.with_suffix(".linked.ll"), result.with_suffix(".instructions.ll")
        run(f"llvm-link{LLVM}", "-S", "--only-needed", first, instructions(functions), "-o", linked)
        code = without_avx512(linked.read_text())
        if missing := sorted(set(re.findall(r"^declare .*@(avx512_\w+)", code, re.M))):
            raise SystemExit(f"retarget.py: not in instructions.c: {', '.join(missing)}")
        linked.write_text(code)
    kept = [word for word in command if word.startswith(("-fPI", "-g")) or word == "-fvisibility=hidden"]
    run(f"clang{LLVM}", "-x", "ir", "-O2", "-Wno-override-module", *kept, "-c", linked, "-o", result)


main()
