# x: what comes in, what is asked for, what goes out; OAuth 1.0a.
aduan_test(test_kit_oauth1 SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_kit_oauth1.c LIBS aduan_kit_web)
aduan_test(test_x_parse
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_x_parse.c ${CMAKE_CURRENT_LIST_DIR}/records.c
    ${CMAKE_CURRENT_LIST_DIR}/expected.c
  LIBS connector_x)
aduan_test(test_x_pull SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_x_pull.c ${CMAKE_CURRENT_LIST_DIR}/x_host.c LIBS connector_x)
aduan_test(test_x_send SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_x_send.c ${CMAKE_CURRENT_LIST_DIR}/x_host.c LIBS connector_x)
