# One function per kind of target, so that a layer's CMakeLists.txt says only what is particular to it.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
if(MICROTOME_STATIC)
  # For every find_library from here on, FindJPEG's and pkg_check_modules' too.
  list(PREPEND CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

# GCC advises against -Werror together with its sanitizers: instrumented code sets off false warnings.
set(werror ${MICROTOME_WERROR})
if(MICROTOME_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(werror OFF)
endif()

add_library(microtome_flags INTERFACE)
target_compile_options(microtome_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror=unused-result
  -fno-math-errno
  $<$<BOOL:${werror}>:-Werror>)
target_include_directories(microtome_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
if(MICROTOME_SANITIZE)
  # What a target is not watched for, in its property MICROTOME_NOT_WATCHED_FOR: tests for undefined behaviour (the layers are),
  # which alone doubles their compile time, and neither they nor the fake GPU for the fuzzers' coverage. It is said here because it
  # must stand behind what it takes back.
  set(microtome_unwatched_fuzzer "")
  if(MICROTOME_SANITIZE MATCHES "fuzzer-no-link")
    set(microtome_unwatched_fuzzer "fuzzer-no-link")
  endif()
  set(not_watched_for "$<JOIN:$<TARGET_PROPERTY:MICROTOME_NOT_WATCHED_FOR>,$<COMMA>>")
  target_compile_options(microtome_flags INTERFACE
    -fsanitize=${MICROTOME_SANITIZE} $<$<BOOL:${not_watched_for}>:-fno-sanitize=${not_watched_for}>
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_compile_definitions(microtome_flags INTERFACE _GLIBCXX_ASSERTIONS)  # bounds of span and vector
  target_link_options(microtome_flags INTERFACE -fsanitize=${MICROTOME_SANITIZE})
endif()

if(MICROTOME_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# What is compiled eight files at a time: "none" (as in a package, where every file has to include what it uses), "tests", or
# "all". Headers take most of the time of nearly every file. Files with the same names in their unnamed namespaces, and those
# that Highway includes once per instruction set, are SKIP_UNITY_BUILD_INCLUSION in their layer's CMakeLists.txt.
set(MICROTOME_UNITY "none" CACHE STRING "What is compiled several files at once, for a short build: none, tests or all")
set_property(CACHE MICROTOME_UNITY PROPERTY STRINGS none tests all)
if(NOT MICROTOME_UNITY MATCHES "^(none|tests|all)$")
  message(FATAL_ERROR "MICROTOME_UNITY is \"${MICROTOME_UNITY}\"; it can be none, tests or all")
endif()

# microtome_unity(TARGET tests|core): compiles the target's files so, if MICROTOME_UNITY is for what they are.
function(microtome_unity TARGET WHAT)
  if(MICROTOME_UNITY STREQUAL "all" OR MICROTOME_UNITY STREQUAL WHAT)
    set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # Types of an unnamed namespace in a class that another file defines: GCC takes it for a header.
    target_compile_options(${TARGET} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# microtome_layer(NAME DEPS layer... SOURCES file... TESTS file... [LIBS target...] [TEST_LIBS target...])
#
# A static library microtome_<NAME>, and one test program <NAME>_tests made of the layer's *_test.cc files.
# DEPS are the layers it may include (tools/check_layers.py checks the includes themselves); LIBS are third-party
# libraries, private to the layer.
function(microtome_layer NAME)
  cmake_parse_arguments(A "" "" "DEPS;SOURCES;TESTS;LIBS;TEST_LIBS" ${ARGN})
  add_library(microtome_${NAME} STATIC ${A_SOURCES})
  microtome_unity(microtome_${NAME} core)
  list(TRANSFORM A_DEPS PREPEND microtome_)
  target_link_libraries(microtome_${NAME} PUBLIC microtome_flags fmt::fmt Threads::Threads ${A_DEPS} PRIVATE ${A_LIBS})
  if(MICROTOME_TESTS AND A_TESTS)
    add_executable(${NAME}_tests ${A_TESTS})
    target_link_libraries(${NAME}_tests PRIVATE microtome_${NAME} GTest::gtest_main ${A_TEST_LIBS})
    microtome_test_program(${NAME}_tests ${NAME})
  endif()
endfunction()

# microtome_test_program(TARGET LABEL): what every test program gets; its tests are called LABEL.Suite.Name
# and have the label LABEL.
#
# Tests are compiled for a short build: GoogleTest's macros gain nothing from -O3, and under the sanitizers nothing from -O1.
function(microtome_test_program TARGET LABEL)
  if(MICROTOME_SANITIZE)
    target_compile_options(${TARGET} PRIVATE -O0)
  else()
    target_compile_options(${TARGET} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  set_target_properties(${TARGET} PROPERTIES MICROTOME_NOT_WATCHED_FOR "undefined;${microtome_unwatched_fuzzer}")
  microtome_unity(${TARGET} tests)
  gtest_discover_tests(${TARGET} TEST_PREFIX "${LABEL}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS ${LABEL})
endfunction()

# microtome_fuzzer(NAME LAYERS layer...): libFuzzer program fuzz_<NAME> from <NAME>.cc, one of the target "fuzzers".
function(microtome_fuzzer NAME)
  cmake_parse_arguments(A "" "" "LAYERS" ${ARGN})
  add_executable(fuzz_${NAME} ${NAME}.cc)
  list(TRANSFORM A_LAYERS PREPEND microtome_)
  target_link_libraries(fuzz_${NAME} PRIVATE ${A_LAYERS})
  target_compile_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${NAME})
endfunction()
