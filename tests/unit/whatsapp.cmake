# whatsapp: what comes in, what goes out, and who is believed.
aduan_test(test_whatsapp_parse
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_whatsapp_parse.c ${CMAKE_CURRENT_LIST_DIR}/records.c LIBS connector_whatsapp)
aduan_test(test_whatsapp_verify
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_whatsapp_verify.c ${CMAKE_CURRENT_LIST_DIR}/records.c LIBS connector_whatsapp)
aduan_test(test_whatsapp_send
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_whatsapp_send.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c LIBS connector_whatsapp)
aduan_test(test_whatsapp_fetch
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_whatsapp_fetch.c ${CMAKE_CURRENT_LIST_DIR}/fake_host.c LIBS connector_whatsapp)
