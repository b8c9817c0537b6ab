# verify() and parse() of the Facebook page. Sources are built again, with coverage.
if(ADUAN_FUZZ)
  set(dir ${CMAKE_SOURCE_DIR}/connectors)
  file(GLOB facebook ${dir}/facebook/*.c ${dir}/graph/*.c)
  add_executable(fuzz_facebook ${CMAKE_CURRENT_LIST_DIR}/fuzz_connector.c ${CMAKE_SOURCE_DIR}/queue/message.c
    ${dir}/kit/text.c ${dir}/kit/sign.c ${dir}/kit/step.c ${dir}/kit/hook.c ${dir}/kit/json.c ${dir}/kit/meta.c
    ${dir}/kit/query.c ${facebook})
  target_compile_options(fuzz_facebook PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_facebook PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_facebook PRIVATE PkgConfig::JANSSON PkgConfig::CRYPTO)
  set_target_properties(fuzz_facebook PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
