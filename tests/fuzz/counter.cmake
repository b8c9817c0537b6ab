# What an officer's intake says: the counter's parse(). Sources are built again, with coverage.
if(ADUAN_FUZZ)
  set(counter_fuzz ${CMAKE_CURRENT_LIST_DIR}/fuzz_connector.c ${CMAKE_SOURCE_DIR}/queue/message.c
    ${CMAKE_SOURCE_DIR}/connectors/counter.c)
  foreach(leaf text sign step json)
    list(APPEND counter_fuzz ${CMAKE_SOURCE_DIR}/connectors/kit/${leaf}.c)
  endforeach()
  add_executable(fuzz_counter ${counter_fuzz})
  target_compile_options(fuzz_counter PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_counter PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_counter PRIVATE PkgConfig::JANSSON PkgConfig::CRYPTO)
  set_target_properties(fuzz_counter PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
