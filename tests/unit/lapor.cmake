# lapor: what is imported, what a profile says, what fits, what is pulled and sent.
if(TARGET connector_lapor)
  aduan_test(test_lapor
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_lapor.c ${CMAKE_CURRENT_LIST_DIR}/records.c
      ${CMAKE_CURRENT_LIST_DIR}/expected.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c
    LIBS connector_lapor)
endif()
