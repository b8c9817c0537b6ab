# The queue against a real redis-server; the spool and the blobs against a real disk.
add_library(redis_server STATIC ${CMAKE_CURRENT_LIST_DIR}/redis_server.c ${CMAKE_CURRENT_LIST_DIR}/step_kill.c)
target_link_libraries(redis_server PUBLIC aduan_queue)

foreach(name accept out reader misc command async spool blob steps storm torn power)
  aduan_test(test_queue_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_queue_${name}.c LIBS redis_server aduan_queue)
  set_tests_properties(test_queue_${name} PROPERTIES TIMEOUT 300)
endforeach()

# Preloaded into redis-server, which knows nothing of our sanitizers.
add_library(power_cut MODULE ${CMAKE_CURRENT_LIST_DIR}/power_cut.c)
target_compile_options(power_cut PRIVATE -fno-sanitize=all)
target_link_options(power_cut PRIVATE -fno-sanitize=all)
target_compile_definitions(test_queue_power PRIVATE POWER_CUT="$<TARGET_FILE:power_cut>")
add_dependencies(test_queue_power power_cut)
