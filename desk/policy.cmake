# policy: the office's calendar and texts, pure; the desk, the console and aduanctl use it.
add_library(aduan_policy STATIC ${CMAKE_CURRENT_LIST_DIR}/calendar.c ${CMAKE_CURRENT_LIST_DIR}/calendar_file.c
  ${CMAKE_CURRENT_LIST_DIR}/template.c)
target_link_libraries(aduan_policy PUBLIC aduan_conf aduan_kit)
if(TARGET aduan_desk)
  target_link_libraries(aduan_desk PUBLIC aduan_policy)
endif()
