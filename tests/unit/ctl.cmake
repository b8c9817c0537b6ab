# ctl: aduanctl as a program, with a real redis-server, a real desk and a real register.
aduan_test(test_ctl_verbs SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_ctl_verbs.c LIBS redis_server aduan_desk)
target_compile_definitions(test_ctl_verbs PRIVATE ADUANCTL="$<TARGET_FILE:aduanctl>")
add_dependencies(test_ctl_verbs aduanctl)
set_tests_properties(test_ctl_verbs PROPERTIES TIMEOUT 120)

# What is printed at the counter.
aduan_test(test_ctl_paper SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_ctl_paper.c ${CMAKE_SOURCE_DIR}/desk/ctl/paper.c
  ${CMAKE_SOURCE_DIR}/desk/ctl/print.c LIBS aduan_conf aduan_queue aduan_kit PkgConfig::JANSSON)
