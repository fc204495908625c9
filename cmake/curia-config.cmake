# find_package(curia): curia::curia is the shared library, curia::curia_static the other one.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(PkgConfig)
pkg_check_modules(UV REQUIRED QUIET IMPORTED_TARGET libuv)
pkg_check_modules(CURL REQUIRED QUIET IMPORTED_TARGET libcurl)
pkg_check_modules(PCRE2 REQUIRED QUIET IMPORTED_TARGET libpcre2-8)
pkg_check_modules(LUA REQUIRED QUIET IMPORTED_TARGET lua5.4)
include(${CMAKE_CURRENT_LIST_DIR}/curia-targets.cmake)
