# verify() and parse() of X. Sources are built again, with coverage.
if(ADUAN_FUZZ)
  set(dir ${CMAKE_SOURCE_DIR}/connectors)
  file(GLOB x ${dir}/x/*.c)
  add_executable(fuzz_x ${CMAKE_CURRENT_LIST_DIR}/fuzz_connector.c ${CMAKE_SOURCE_DIR}/queue/message.c
    ${dir}/kit/text.c ${dir}/kit/sign.c ${dir}/kit/step.c ${dir}/kit/hook.c ${dir}/kit/json.c ${dir}/kit/oauth1.c
    ${dir}/kit/oauth2.c ${dir}/kit/query.c ${x})
  target_compile_options(fuzz_x PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_x PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_x PRIVATE PkgConfig::JANSSON PkgConfig::CRYPTO)
  set_target_properties(fuzz_x PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
