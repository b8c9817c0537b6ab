# verify() and parse() of Instagram: the walk that it shares with Facebook, and its own comments and mentions.
if(ADUAN_FUZZ)
  set(dir ${CMAKE_SOURCE_DIR}/connectors)
  file(GLOB graph ${dir}/graph/*.c)
  file(GLOB instagram ${dir}/instagram/*.c)
  add_executable(fuzz_instagram ${CMAKE_CURRENT_LIST_DIR}/fuzz_connector.c ${CMAKE_SOURCE_DIR}/queue/message.c
    ${dir}/kit/text.c ${dir}/kit/sign.c ${dir}/kit/step.c ${dir}/kit/hook.c ${dir}/kit/json.c ${dir}/kit/meta.c
    ${dir}/kit/query.c ${graph} ${instagram})
  target_compile_options(fuzz_instagram PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_instagram PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_instagram PRIVATE PkgConfig::JANSSON PkgConfig::CRYPTO)
  set_target_properties(fuzz_instagram PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
