# policy: the office's calendar, texts and rules, pure; the desk, the console and aduanctl use it.
add_library(aduan_policy STATIC ${CMAKE_CURRENT_LIST_DIR}/calendar.c ${CMAKE_CURRENT_LIST_DIR}/calendar_file.c
  ${CMAKE_CURRENT_LIST_DIR}/template.c
  ${CMAKE_CURRENT_LIST_DIR}/fold.c ${CMAKE_CURRENT_LIST_DIR}/lexicon.c ${CMAKE_CURRENT_LIST_DIR}/places.c
  ${CMAKE_CURRENT_LIST_DIR}/facts.c ${CMAKE_CURRENT_LIST_DIR}/facts_words.c ${CMAKE_CURRENT_LIST_DIR}/facts_name.c
  ${CMAKE_CURRENT_LIST_DIR}/facts_address.c ${CMAKE_CURRENT_LIST_DIR}/facts_event.c
  ${CMAKE_CURRENT_LIST_DIR}/facts_number.c ${CMAKE_CURRENT_LIST_DIR}/rules.c ${CMAKE_CURRENT_LIST_DIR}/route.c
  ${CMAKE_CURRENT_LIST_DIR}/complete.c)
target_link_libraries(aduan_policy PUBLIC aduan_conf aduan_kit)
if(TARGET aduan_desk)
  target_link_libraries(aduan_desk PUBLIC aduan_policy)
endif()
