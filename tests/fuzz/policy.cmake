# What people write, read by the office's own rules.
if(ADUAN_FUZZ)
  set(desk_dir ${CMAKE_SOURCE_DIR}/desk)
  set(policy_sources ${desk_dir}/fold.c ${desk_dir}/lexicon.c ${desk_dir}/places.c ${desk_dir}/facts.c
    ${desk_dir}/facts_words.c ${desk_dir}/facts_name.c ${desk_dir}/facts_address.c ${desk_dir}/facts_event.c
    ${desk_dir}/facts_number.c ${desk_dir}/rules.c ${desk_dir}/route.c ${desk_dir}/complete.c)
  add_executable(fuzz_policy ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_policy.c ${policy_sources})
  target_compile_definitions(fuzz_policy PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_compile_options(fuzz_policy PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(fuzz_policy PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_policy PRIVATE aduan_conf aduan_kit)
  set_target_properties(fuzz_policy PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
