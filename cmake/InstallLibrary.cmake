# libmicrotome, the shared library with the C API, and what is installed with it: headers, a CMake package, a pkg-config
# file. Nothing but the functions of microtome.h can be seen from outside: other libraries of the process may bring codec
# libraries, {fmt} or another Microtome of their own.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(public_headers "${CMAKE_SOURCE_DIR}/include/microtome/microtome.h")
file(STRINGS "${public_headers}" abi_line REGEX "#define MICROTOME_ABI_VERSION [0-9]+")
string(REGEX MATCH "[0-9]+" abi_version "${abi_line}")

add_library(microtome SHARED $<TARGET_OBJECTS:microtome_c_api>)
target_link_libraries(microtome PRIVATE
  microtome_runtime microtome_loader microtome_read microtome_plan microtome_slide microtome_io microtome_exec microtome_base)
target_include_directories(microtome INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(microtome INTERFACE cxx_std_17)
set_target_properties(microtome PROPERTIES VERSION ${abi_version}.${PROJECT_VERSION} SOVERSION ${abi_version})
set(exports "${CMAKE_SOURCE_DIR}/cmake/exports.map")
# nodelete: its threads may run when a program unloads it.
target_link_options(microtome PRIVATE "LINKER:--version-script=${exports}" LINKER:-z,nodelete LINKER:-z,defs)
if(MICROTOME_SANITIZE)
  target_link_options(microtome PRIVATE LINKER:-z,undefs)  # the sanitizers' functions are the program's
endif()
set_property(TARGET microtome APPEND PROPERTY LINK_DEPENDS "${exports}")

install(TARGETS microtome EXPORT microtome LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/microtome" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/microtome")
install(EXPORT microtome NAMESPACE microtome:: FILE microtomeConfig.cmake DESTINATION "${package}")
# Until 1.0 a minor version may change what is not the C API.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/microtomeConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/microtomeConfigVersion.cmake" DESTINATION "${package}")

# Relative to itself, so that the installed tree can be moved.
file(RELATIVE_PATH to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_SOURCE_DIR}/cmake/microtome.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/microtome.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/microtome.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
