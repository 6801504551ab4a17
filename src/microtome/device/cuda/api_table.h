// Tables of functions of libraries that are opened at run time, each filled from one list.
//
// A list names each function once: `X(need, name, result, (parameters))`, with `name` the symbol in the
// library and the types our own declarations. MICROTOME_API_TABLE makes a struct of typed pointers of it, and
// a `fill` that looks them up; tests/abi compares the same list with NVIDIA's headers, and the fake libraries
// of tests/fake_cuda are built against it. Knows no library.
#pragma once

#include <string>
#include <vector>

namespace microtome::cuda {

/// Without its required functions a library is not used. The caller of an optional one looks first whether it
/// is null.
enum class Need : bool { required, optional };

}  // namespace microtome::cuda

#define MICROTOME_API_MEMBER_(need, name, result, parameters) result(*name) parameters = nullptr;
#define MICROTOME_API_FIND_(need, name, result, parameters)   \
  name = reinterpret_cast<result(*) parameters>(find(#name)); \
  if (name == nullptr && microtome::cuda::Need::need == Need::required) missing.emplace_back(#name);

/// struct TABLE { result (*name)(parameters); …; fill }. `find(const char*)` gives a symbol's address or
/// null; fill returns the required names that were not found.
#define MICROTOME_API_TABLE(TABLE, LIST)              \
  struct TABLE {                                      \
    LIST(MICROTOME_API_MEMBER_)                       \
    template <class Find>                             \
    std::vector<std::string> fill(const Find& find) { \
      std::vector<std::string> missing;               \
      LIST(MICROTOME_API_FIND_)                       \
      return missing;                                 \
    }                                                 \
  };
