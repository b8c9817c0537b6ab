# The HTTP server's reading side, from bytes to answers, without a socket.
if(ADUAN_FUZZ)
  add_executable(fuzz_http ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_http.c ${CMAKE_SOURCE_DIR}/daemon/server_http.c
    ${CMAKE_SOURCE_DIR}/daemon/server_conn.c)
  target_compile_options(fuzz_http PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_options(fuzz_http PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_http PRIVATE aduan_kit)
  set_target_properties(fuzz_http PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
