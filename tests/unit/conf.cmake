# conf: the reader and its faults.
aduan_test(test_conf_faults SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_conf_faults.c LIBS aduan_conf)
aduan_test(test_conf_read SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_conf_read.c LIBS aduan_conf)
aduan_test(test_conf_scalar SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_conf_scalar.c LIBS aduan_conf PkgConfig::LIBCONFIG)
target_link_options(test_conf_read PRIVATE -Wl,--wrap=free)
