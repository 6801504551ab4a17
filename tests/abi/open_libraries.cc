// Opens NVIDIA's real libraries as Microtome does, which needs no GPU: name, version and problem, a line
// each.
#include <cstdio>

#include "microtome/device/cuda/libraries.h"

int main() {
  for (const auto& library : microtome::cuda::look_for_libraries({}))
    std::printf("%s\t%s\t%s\n", library.name.c_str(), library.version.c_str(), library.problem.c_str());
}
