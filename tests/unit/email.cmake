# The mail connector: its parts, its parser over the corpus, and a program that drives it for the system tests.
set(email_unit ${CMAKE_CURRENT_LIST_DIR})
add_executable(email_drive ${email_unit}/email_drive.c ${email_unit}/email_host.c)
target_link_libraries(email_drive PRIVATE connector_email aduan_message aduan_kit)
set_target_properties(email_drive PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
aduan_test(test_email_parse SOURCES ${email_unit}/test_email_parse.c LIBS connector_email aduan_message aduan_kit)
aduan_test(test_email_parts SOURCES ${email_unit}/test_email_parts.c ${email_unit}/email_host.c
  LIBS connector_email aduan_message aduan_kit)
