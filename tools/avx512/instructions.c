// What instructions of AVX-512 compute, for processors that have AVX2 alone. From Intel's description of each
// (Software Developer's Manual, volume 2). retarget.py puts these functions where Clang's intermediate code
// calls an intrinsic of this set: avx512_packuswb_512 for llvm.x86.avx512.packuswb.512, with its parameters.
// What Clang has no intrinsic for (sums, comparisons, masks, shuffles by constants) is no instruction there
// yet.
//
// Instructions that work within 128 bits are AVX2's, on both halves.

typedef char S8 __attribute__((vector_size(64)));
typedef short S16 __attribute__((vector_size(64)));
typedef int S32 __attribute__((vector_size(64)));
typedef long long S64 __attribute__((vector_size(64)));
typedef float F32 __attribute__((vector_size(64)));
typedef char Half8 __attribute__((vector_size(32)));
typedef short Half16 __attribute__((vector_size(32)));
typedef int Half32 __attribute__((vector_size(32)));
typedef float HalfF32 __attribute__((vector_size(32)));

#define INSTRUCTION(type) __attribute__((always_inline)) type

#define ON_HALVES(result, name, half_result, argument, half_argument, instruction)  \
  INSTRUCTION(result) name(argument a, argument b) {                                \
    union {                                                                         \
      argument whole;                                                               \
      half_argument half[2];                                                        \
    } x = {a}, y = {b};                                                             \
    union {                                                                         \
      half_result half[2];                                                          \
      result whole;                                                                 \
    } r = {{instruction(x.half[0], y.half[0]), instruction(x.half[1], y.half[1])}}; \
    return r.whole;                                                                 \
  }

ON_HALVES(S32, avx512_pmaddw_d_512, Half32, S16, Half16, __builtin_ia32_pmaddwd256)
ON_HALVES(S16, avx512_pmaddubs_w_512, Half16, S8, Half8, __builtin_ia32_pmaddubsw256)
ON_HALVES(S16, avx512_pmul_hr_sw_512, Half16, S16, Half16, __builtin_ia32_pmulhrsw256)
ON_HALVES(S8, avx512_packuswb_512, Half8, S16, Half16, __builtin_ia32_packuswb256)
ON_HALVES(S8, avx512_packsswb_512, Half8, S16, Half16, __builtin_ia32_packsswb256)
ON_HALVES(S16, avx512_packusdw_512, Half16, S32, Half32, __builtin_ia32_packusdw256)
ON_HALVES(S16, avx512_packssdw_512, Half16, S32, Half32, __builtin_ia32_packssdw256)
ON_HALVES(S8, avx512_pshuf_b_512, Half8, S8, Half8, __builtin_ia32_pshufb256)
ON_HALVES(F32, min_ps, HalfF32, F32, HalfF32, __builtin_ia32_minps256)
ON_HALVES(F32, max_ps, HalfF32, F32, HalfF32, __builtin_ia32_maxps256)

// Which exceptions are raised is not looked at.
INSTRUCTION(F32) avx512_min_ps_512(F32 a, F32 b, int exceptions) {
  (void)exceptions;
  return min_ps(a, b);
}
INSTRUCTION(F32) avx512_max_ps_512(F32 a, F32 b, int exceptions) {
  (void)exceptions;
  return max_ps(a, b);
}

// VPERMB, VPERMQ: the element of `values` that each index says, by its low bits.
#define PERMUTE(vector, name, elements)                                                 \
  INSTRUCTION(vector) name(vector values, vector indices) {                             \
    vector result = {0};                                                                \
    for (int i = 0; i < elements; ++i) result[i] = values[indices[i] & (elements - 1)]; \
    return result;                                                                      \
  }
PERMUTE(S8, avx512_permvar_qi_512, 64)
PERMUTE(S64, avx512_permvar_di_512, 8)

// VPERMI2B and its like: the same of two vectors; the next bit of the index says which.
#define PERMUTE_TWO(vector, name, elements)                          \
  INSTRUCTION(vector) name(vector a, vector indices, vector b) {     \
    vector result = {0};                                             \
    for (int i = 0; i < elements; ++i) {                             \
      const int at = (int)indices[i] & (elements - 1);               \
      result[i] = ((int)indices[i] & elements) != 0 ? b[at] : a[at]; \
    }                                                                \
    return result;                                                   \
  }
PERMUTE_TWO(S8, avx512_vpermi2var_qi_512, 64)
PERMUTE_TWO(S16, avx512_vpermi2var_hi_512, 32)
PERMUTE_TWO(S64, avx512_vpermi2var_q_512, 8)

// VPTERNLOGD: each bit of the result is the bit of `table` that the three bits are the number of.
INSTRUCTION(S32) avx512_pternlog_d_512(S32 a, S32 b, S32 c, int table) {
  S32 result = a ^ a;
  for (int number = 0; number < 8; ++number) {
    if ((table >> number & 1) == 0) continue;
    result |= ((number & 4) != 0 ? a : ~a) & ((number & 2) != 0 ? b : ~b) & ((number & 1) != 0 ? c : ~c);
  }
  return result;
}

// VPDPWSSD with one dword for all elements: sums of products of words, added without saturation.
INSTRUCTION(S64) avx512_vpdpwssd_broadcast(S64 pairs, const int* pair, S64 sum) {
  const S16 factors = (S16)((S32){0} + *pair);
  return (S64)((S32)sum + avx512_pmaddw_d_512((S16)pairs, factors));
}

// VPCOMPRESSB: the bytes whose bits are set, one behind the other; what is left stays as in `others`.
INSTRUCTION(S8) avx512_compress_bytes(S8 values, S8 others, unsigned long long bits) {
  int next = 0;
  for (int i = 0; i < 64; ++i) {
    if ((bits >> i & 1) != 0) others[next++] = values[i];
  }
  return others;
}
