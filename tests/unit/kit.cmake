# kit: the leaves.
aduan_test(test_kit_text SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_kit_text.c LIBS aduan_kit)
aduan_test(test_kit_sign SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_kit_sign.c LIBS aduan_kit)
aduan_test(test_message SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_message.c LIBS aduan_message aduan_kit)
