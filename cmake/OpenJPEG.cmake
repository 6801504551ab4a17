# The target microtome_openjpeg: the system's OpenJPEG, or one built here from MICROTOME_OPENJPEG_SOURCE.
#
# Distributions build it so that each sample of an irreversible (9/7) image goes through a call of libm's lrintf. With
# -fno-math-errno that is one instruction, and a whole tile takes 0.87 (1.5 bits per pixel) to 0.7 (mostly empty tiles)
# of the time. tools/fetch_openjpeg.sh puts the source under build/third_party/openjpeg. The library is static and its
# symbols hidden, so that it cannot meet another OpenJPEG in the same process.
set(MICROTOME_OPENJPEG_SOURCE "" CACHE PATH "OpenJPEG's source folder, to build it in; empty for the system's library")

add_library(microtome_openjpeg INTERFACE)
if(MICROTOME_OPENJPEG_SOURCE)
  set(openjpeg_binary_dir "${CMAKE_BINARY_DIR}/third_party/openjpeg")
  function(add_openjpeg)
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # so that the plain variables below override its options
    set(BUILD_CODEC OFF)
    set(BUILD_SHARED_LIBS OFF)
    set(BUILD_TESTING OFF)
    set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
    add_subdirectory("${MICROTOME_OPENJPEG_SOURCE}" "${openjpeg_binary_dir}" EXCLUDE_FROM_ALL)
    # It sets these for every target of the build.
    unset(EXECUTABLE_OUTPUT_PATH CACHE)
    unset(LIBRARY_OUTPUT_PATH CACHE)
  endfunction()
  add_openjpeg()
  # With our own memory in the place of its: see openjpeg_memory.cc.
  get_target_property(openjpeg_sources openjp2 SOURCES)
  list(FILTER openjpeg_sources EXCLUDE REGEX "opj_malloc\\.c$")
  set_target_properties(openjp2 PROPERTIES SOURCES "${openjpeg_sources}")
  add_library(microtome_openjpeg_memory OBJECT "${CMAKE_SOURCE_DIR}/src/microtome/codec/jpeg2000/openjpeg_memory.cc")
  target_include_directories(microtome_openjpeg_memory PRIVATE "${MICROTOME_OPENJPEG_SOURCE}/src/lib/openjp2")
  target_link_libraries(microtome_openjpeg_memory PRIVATE microtome_flags)
  target_sources(openjp2 PRIVATE $<TARGET_OBJECTS:microtome_openjpeg_memory>)
  # -fwrapv: its partial 5/3 transform adds up samples it has not set and does not use; the sums may overflow.
  # NDEBUG: its encoder, which tests use, asserts that no 9/7 transform has a line of one sample.
  target_compile_options(openjp2 PRIVATE -fno-math-errno -fno-trapping-math -fwrapv -fvisibility=hidden -w -DNDEBUG)
  if(MICROTOME_SANITIZE)
    # Accesses outside of memory are looked at here, undefined behaviour in our own code alone: its checks make one file of
    # this library take longer to compile than all that is ours. Nor are threads: a codec belongs to the thread that made it,
    # and what goes in and comes out is ours.
    string(REPLACE "," ";" openjpeg_sanitizers "${MICROTOME_SANITIZE}")
    list(REMOVE_ITEM openjpeg_sanitizers undefined thread)
    list(JOIN openjpeg_sanitizers "," openjpeg_sanitizers)
    if(openjpeg_sanitizers)
      target_compile_options(openjp2 PRIVATE -fsanitize=${openjpeg_sanitizers} -O1 -g1)
    else()
      target_compile_options(openjp2 PRIVATE -O2)
    endif()
  else()
    target_compile_options(openjp2 PRIVATE -O3)
  endif()
  target_compile_definitions(openjp2 PUBLIC OPJ_STATIC)
  target_link_libraries(microtome_openjpeg INTERFACE openjp2)
  target_include_directories(microtome_openjpeg SYSTEM INTERFACE
    "${MICROTOME_OPENJPEG_SOURCE}/src/lib/openjp2" "${openjpeg_binary_dir}/src/lib/openjp2")
else()
  pkg_check_modules(openjpeg REQUIRED IMPORTED_TARGET libopenjp2)
  target_link_libraries(microtome_openjpeg INTERFACE PkgConfig::openjpeg)
endif()
