# Defines DuckDB::DuckDB: the copy of scripts/setup in .deps/duckdb, or a system one of the same version.

set(versions "${CMAKE_CURRENT_SOURCE_DIR}/scripts/versions")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${versions}")
file(STRINGS "${versions}" line REGEX "^DUCKDB_VERSION=")
string(REPLACE "DUCKDB_VERSION=" "" TARN_DUCKDB_VERSION "${line}")

set(deps "${CMAKE_CURRENT_SOURCE_DIR}/.deps/duckdb")
find_path(TARN_DUCKDB_INCLUDE duckdb.h HINTS "${deps}/include" NO_CACHE)
find_library(TARN_DUCKDB_LIBRARY duckdb HINTS "${deps}/lib" NO_CACHE)
if(NOT TARN_DUCKDB_INCLUDE OR NOT TARN_DUCKDB_LIBRARY)
    message(FATAL_ERROR "DuckDB ${TARN_DUCKDB_VERSION} not found: run scripts/setup")
endif()

# The pages of the data file belong to one version, so the library itself is asked; once for each library file.
file(TIMESTAMP "${TARN_DUCKDB_LIBRARY}" stamp)
set(asked "${TARN_DUCKDB_LIBRARY} ${stamp}")
if(NOT TARN_DUCKDB_ASKED STREQUAL asked)
    set(probe "${CMAKE_CURRENT_BINARY_DIR}/duckdb_version.cpp")
    file(WRITE "${probe}" "#include <duckdb.h>\n#include <cstdio>\nint main() { std::fputs(duckdb_library_version(), stdout); }\n")
    try_run(ran compiled "${CMAKE_CURRENT_BINARY_DIR}/duckdb_version" "${probe}"
        CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${TARN_DUCKDB_INCLUDE}"
        LINK_LIBRARIES "${TARN_DUCKDB_LIBRARY}"
        COMPILE_OUTPUT_VARIABLE compile_log RUN_OUTPUT_VARIABLE answer)
    if(NOT compiled)
        message(FATAL_ERROR "DuckDB does not link:\n${compile_log}")
    endif()
    unset(ran CACHE)
    unset(compiled CACHE)
    set(TARN_DUCKDB_ASKED "${asked}" CACHE INTERNAL "library file whose version is known")
    set(TARN_DUCKDB_ANSWER "${answer}" CACHE INTERNAL "its version")
endif()
if(NOT TARN_DUCKDB_ANSWER STREQUAL "v${TARN_DUCKDB_VERSION}")
    message(FATAL_ERROR "${TARN_DUCKDB_LIBRARY} is DuckDB ${TARN_DUCKDB_ANSWER}; needed is v${TARN_DUCKDB_VERSION}: run scripts/setup")
endif()

add_library(DuckDB::DuckDB SHARED IMPORTED)
set_target_properties(DuckDB::DuckDB PROPERTIES
    IMPORTED_LOCATION "${TARN_DUCKDB_LIBRARY}"
    IMPORTED_SONAME libduckdb.so
    INTERFACE_INCLUDE_DIRECTORIES "${TARN_DUCKDB_INCLUDE}")
get_filename_component(TARN_DUCKDB_LIBDIR "${TARN_DUCKDB_LIBRARY}" DIRECTORY)
