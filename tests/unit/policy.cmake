# policy: the working calendar and the reply texts.
aduan_test(test_policy_calendar SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_calendar.c LIBS aduan_policy)
aduan_test(test_policy_template SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_template.c LIBS aduan_policy)
aduan_test(test_policy_facts SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_facts.c LIBS aduan_policy)
aduan_test(test_policy_route SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_policy_route.c LIBS aduan_policy)
