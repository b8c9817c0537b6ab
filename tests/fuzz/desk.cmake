# Identity numbers in texts from outside.
if(ADUAN_FUZZ)
  add_executable(fuzz_identity ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_identity.c ${CMAKE_SOURCE_DIR}/desk/identity.c)
  target_compile_options(fuzz_identity PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_identity PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_identity PRIVATE aduan_kit)
  set_target_properties(fuzz_identity PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
