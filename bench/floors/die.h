// How this program ends when something goes wrong: with one line on stderr. There is nothing to recover to.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace floors {

template <class... Args>
[[noreturn]] void die(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(stderr, "microtome_floor: {}\n", fmt::format(format, std::forward<Args>(args)...));
  std::exit(1);
}

}  // namespace floors
