# instagram: what comes in, what goes out, what is fetched, and the token. graph: what it shares with Facebook.
aduan_test(test_instagram_parse
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_instagram_parse.c ${CMAKE_CURRENT_LIST_DIR}/records.c
    ${CMAKE_CURRENT_LIST_DIR}/expected.c LIBS connector_instagram)
aduan_test(test_instagram_send
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_instagram_send.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c LIBS connector_instagram)
aduan_test(test_instagram_token
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_instagram_token.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c LIBS connector_instagram)
aduan_test(test_graph_usage SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_graph_usage.c LIBS aduan_graph)
