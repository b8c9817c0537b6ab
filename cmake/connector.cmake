# connector.cmake: what somebody needs to build a connector outside this tree. Included by the top CMakeLists.txt.
#
# The headers keep the names under which a connector includes them: "connector.h", "message.h", "kit/…".
configure_file(${CMAKE_CURRENT_LIST_DIR}/aduan-connector.pc.in ${CMAKE_BINARY_DIR}/aduan-connector.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/aduan-connector.pc DESTINATION lib/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/connectors/connector.h ${CMAKE_SOURCE_DIR}/queue/message.h DESTINATION include/aduan)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/connectors/kit/ DESTINATION include/aduan/kit FILES_MATCHING PATTERN "*.h")
install(TARGETS aduan_kit aduan_kit_web aduan_message ARCHIVE DESTINATION lib/aduan)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/ DESTINATION share/doc/aduan/examples)
