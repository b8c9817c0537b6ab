# loop: the test double must itself be right.
aduan_test(test_loop_worker SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_loop_worker.c LIBS connector_loop)
