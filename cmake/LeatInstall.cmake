# Where `cmake --install` and the wheel put things.
#
#   cmake --install                                  wheel
#   <libdir>/libleat.so.0                            leat/libleat.so.0
#   <libdir>/leat/python3.X/leat/                    leat/                (the package with its module _leat)
#   <bindir>/leat                                    the scripts folder   (bin/ of the environment)
#   <includedir>/leat.h, leat/, <libdir>/pkgconfig,  -
#   <libdir>/cmake/leat

include(CMakePackageConfigHelpers)

if(NOT TARGET leat)
    return()
endif()

if(SKBUILD)
    # scikit-build-core adds the Python files itself; what is installed here goes beside them.
    set(package_dir "leat")
    install(TARGETS leat LIBRARY DESTINATION "${package_dir}" NAMELINK_SKIP)
    if(TARGET _leat)
        set_target_properties(_leat PROPERTIES INSTALL_RPATH "$ORIGIN")
        install(TARGETS _leat LIBRARY DESTINATION "${package_dir}")
    endif()
    if(TARGET leat_launcher)
        # bin/leat finds the library in the package; Debian's own Python calls the folder dist-packages.
        set(python "../lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}")
        set_target_properties(leat_launcher PROPERTIES
            INSTALL_RPATH "$ORIGIN/${python}/site-packages/leat;$ORIGIN/${python}/dist-packages/leat")
        install(TARGETS leat_launcher RUNTIME DESTINATION "${SKBUILD_SCRIPTS_DIR}")
    endif()
    return()
endif()

install(TARGETS leat EXPORT leat LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

if(TARGET leat_launcher)
    file(RELATIVE_PATH lib_from_bin "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
    set_target_properties(leat_launcher PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    install(TARGETS leat_launcher RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

if(TARGET _leat)
    set(package_dir "${CMAKE_INSTALL_LIBDIR}/leat/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/leat")
    set_target_properties(_leat PROPERTIES INSTALL_RPATH "$ORIGIN/../../..")
    install(TARGETS _leat LIBRARY DESTINATION "${package_dir}")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/python/leat/" DESTINATION "${package_dir}"
        PATTERN "__pycache__" EXCLUDE)
endif()

# leat.pc names its folders relative to itself, so that `cmake --install --prefix` and a moved folder work.
file(RELATIVE_PATH prefix_from_pc "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
file(RELATIVE_PATH lib_from_prefix "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH include_from_prefix "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/leat.pc.in" "${PROJECT_BINARY_DIR}/leat.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/leat.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/leat")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/leatConfig.cmake.in" "${PROJECT_BINARY_DIR}/leatConfig.cmake"
    INSTALL_DESTINATION "${cmake_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/leatConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT leat NAMESPACE leat:: FILE leatTargets.cmake DESTINATION "${cmake_dir}")
install(FILES "${PROJECT_BINARY_DIR}/leatConfig.cmake" "${PROJECT_BINARY_DIR}/leatConfigVersion.cmake"
    DESTINATION "${cmake_dir}")
