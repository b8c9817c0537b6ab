# Benchmarks: load generators here, the programs that use them are tests/bench/bench_* (see run).
add_executable(load_webhook ${CMAKE_SOURCE_DIR}/tests/bench/load_webhook.c)
target_link_libraries(load_webhook PRIVATE aduan_kit)
set_target_properties(load_webhook PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bench)
