# The configuration reader, from bytes to faults.
if(ADUAN_FUZZ)
  file(GLOB conf_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/conf/*.c)
  add_executable(fuzz_conf ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_conf.c ${conf_sources})
  target_compile_options(fuzz_conf PRIVATE -fsanitize=fuzzer,address,undefined -Wno-unused-function)
  target_link_options(fuzz_conf PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_conf PRIVATE aduan_kit PkgConfig::JANSSON PkgConfig::LIBCONFIG)
  set_target_properties(fuzz_conf PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
