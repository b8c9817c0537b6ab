# The configuration reader, from bytes to faults.
if(ADUAN_FUZZ)
  set(conf_dir ${CMAKE_SOURCE_DIR}/conf)
  add_executable(fuzz_conf ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_conf.c ${conf_dir}/conf.c ${conf_dir}/fault.c
    ${conf_dir}/scalar.c ${conf_dir}/secret.c ${conf_dir}/settings.c ${conf_dir}/slice.c ${conf_dir}/source.c
    ${conf_dir}/tls.c ${conf_dir}/tree.c)
  target_compile_options(fuzz_conf PRIVATE -fsanitize=fuzzer,address,undefined -Wno-unused-function)
  target_link_options(fuzz_conf PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_conf PRIVATE aduan_kit PkgConfig::JANSSON PkgConfig::LIBCONFIG)
  set_target_properties(fuzz_conf PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
