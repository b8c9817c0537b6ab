# lapor: SP4N-LAPOR!, by hand or by what a profile maps. A notice mail is read by email's own code.
if(NOT TARGET aduan_email)
  include(${CMAKE_CURRENT_LIST_DIR}/../email/email.cmake)
endif()
set(lapor_sources)
foreach(part lapor profile map names read json csv notice call pull send selftest)
  list(APPEND lapor_sources ${CMAKE_CURRENT_LIST_DIR}/${part}.c)
endforeach()
aduan_connector(lapor SOURCES ${lapor_sources} LIBS aduan_email aduan_kit_web)
