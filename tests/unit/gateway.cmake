# The HTTP server, the gateway's parts and the intake.
aduan_test(test_gateway_http SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/test_gateway_http.c
  ${CMAKE_SOURCE_DIR}/daemon/server_http.c LIBS aduan_kit)
aduan_test(test_gateway_conn SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/test_gateway_conn.c
  ${CMAKE_SOURCE_DIR}/daemon/server_http.c ${CMAKE_SOURCE_DIR}/daemon/server_conn.c LIBS aduan_kit)
aduan_test(test_gateway_budget SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/test_gateway_budget.c
  ${CMAKE_SOURCE_DIR}/daemon/gateway_budget.c LIBS aduan_kit)
aduan_test(test_gateway_intake SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/test_gateway_intake.c
  ${CMAKE_SOURCE_DIR}/daemon/intake.c ${CMAKE_SOURCE_DIR}/daemon/module.c
  LIBS aduan_conf aduan_queue aduan_message aduan_kit ${CMAKE_DL_LIBS})
aduan_test(test_gateway_record SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/test_gateway_record.c
  LIBS aduan_message aduan_kit)
