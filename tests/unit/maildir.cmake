# maildir: the directory itself; mails are email's.
aduan_test(test_maildir_directory SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_maildir_directory.c LIBS connector_maildir)
aduan_test(test_maildir_pull SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_maildir_pull.c LIBS connector_maildir)
