# maildir: a directory that an MTA delivers to; mails are read and written by email's own code.
if(NOT TARGET aduan_email)
  include(${CMAKE_CURRENT_LIST_DIR}/../email/email.cmake)
endif()
aduan_connector(maildir SOURCES ${CMAKE_CURRENT_LIST_DIR}/maildir.c ${CMAKE_CURRENT_LIST_DIR}/directory.c LIBS aduan_email)
