// Which sanitizer this is compiled with: MICROTOME_ASAN (address), MICROTOME_TSAN (thread) and MICROTOME_MSAN
// (memory) are 1 or 0. Clang has features for them, GCC macros.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MICROTOME_ASAN 1
#elif __has_feature(thread_sanitizer)
#define MICROTOME_TSAN 1
#elif __has_feature(memory_sanitizer)
#define MICROTOME_MSAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MICROTOME_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define MICROTOME_TSAN 1
#endif

#ifndef MICROTOME_ASAN
#define MICROTOME_ASAN 0
#endif
#ifndef MICROTOME_TSAN
#define MICROTOME_TSAN 0
#endif
#ifndef MICROTOME_MSAN
#define MICROTOME_MSAN 0
#endif
