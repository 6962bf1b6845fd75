# How every target of ours is compiled: C17 without extensions, hidden symbols, warnings, sanitizers, coverage.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

# What users get is optimised across files: a record crosses several in a few nanoseconds. Tests link the whole library
# once each, which would take minutes.
set(lto_default OFF)
if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo)$" AND NOT LEAT_TESTS AND NOT LEAT_SANITIZE)
    set(lto_default ON)
endif()
option(LEAT_LTO "Optimise across files when linking" "${lto_default}")
if(LEAT_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT LEAT_LTO_WORKS OUTPUT lto_output LANGUAGES C)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION "${LEAT_LTO_WORKS}")
endif()

find_program(LEAT_CCACHE ccache)
if(LEAT_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${LEAT_CCACHE}")
endif()

# Code that we did not write (src/third_party) is compiled with these flags but without the warnings.
add_library(leat_compile INTERFACE)
target_compile_definitions(leat_compile INTERFACE _GNU_SOURCE)
target_compile_options(leat_compile INTERFACE -fno-semantic-interposition)

add_library(leat_warnings INTERFACE)
target_compile_options(leat_warnings INTERFACE
    -Wall
    -Wextra
    -Wcast-qual
    -Wformat=2
    -Wimplicit-fallthrough
    -Wmissing-prototypes
    -Wold-style-definition
    -Wpointer-arith
    -Wshadow
    -Wstrict-prototypes
    -Wundef
    -Wvla
    -Wwrite-strings
    $<$<BOOL:${LEAT_WERROR}>:-Werror>)

if(LEAT_SANITIZE)
    list(JOIN LEAT_SANITIZE "," sanitizers)
    target_compile_options(leat_compile INTERFACE
        -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(leat_compile INTERFACE -fsanitize=${sanitizers})
endif()

if(LEAT_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "leat: LEAT_FUZZ needs clang's libFuzzer; configure with --preset fuzz")
    endif()
    target_compile_options(leat_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(LEAT_COVERAGE)
    target_compile_options(leat_compile INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(leat_compile INTERFACE --coverage)
endif()
