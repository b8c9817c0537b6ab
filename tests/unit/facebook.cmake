# facebook: what comes in, what goes out, what must not, and the page that was dropped.
if(TARGET connector_facebook)
  aduan_test(test_facebook_parse
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_facebook_parse.c ${CMAKE_CURRENT_LIST_DIR}/records.c
      ${CMAKE_CURRENT_LIST_DIR}/expected.c
    LIBS connector_facebook)
  aduan_test(test_facebook_send
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_facebook_send.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c LIBS connector_facebook)
endif()
