# The desk over a real redis-server (tests/unit/redis_server.c) and a real register.
add_library(desk_rig STATIC ${CMAKE_CURRENT_LIST_DIR}/desk_rig.c ${CMAKE_CURRENT_LIST_DIR}/desk_tests.c)
target_link_libraries(desk_rig PUBLIC redis_server aduan_desk PkgConfig::SQLITE)
target_compile_definitions(desk_rig PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")

foreach(name register case answer notice command public same erase faults crash)
  aduan_test(test_desk_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_desk_${name}.c LIBS desk_rig aduan_desk)
  set_tests_properties(test_desk_${name} PROPERTIES TIMEOUT 180)
endforeach()

aduan_test(test_desk_watch SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_desk_watch.c LIBS aduan_desk)

# What officers log and carry over themselves, with the counter's own parse().
aduan_test(test_desk_hand SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_desk_hand.c LIBS desk_rig aduan_desk connector_counter)
set_tests_properties(test_desk_hand PROPERTIES TIMEOUT 180)

# Reported, not judged: tests/bench_desk [MESSAGES].
add_executable(bench_desk ${CMAKE_SOURCE_DIR}/tests/bench/bench_desk.c)
target_include_directories(bench_desk PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(bench_desk PRIVATE desk_rig aduan_desk)
set_target_properties(bench_desk PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bench)
