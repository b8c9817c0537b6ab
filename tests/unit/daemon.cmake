# daemon: the master's decisions, the module loader, what send and receive do without a network.
set(bad_modules good no_symbol major short other_type push_without_verify no_table newer)
set(number 0)
foreach(name ${bad_modules})
  math(EXPR number "${number} + 1")
  add_library(bad_module_${name} MODULE ${CMAKE_CURRENT_LIST_DIR}/bad_module.c)
  target_compile_definitions(bad_module_${name} PRIVATE BAD=${number} NAME="${name}")
  target_link_libraries(bad_module_${name} PRIVATE PkgConfig::JANSSON)
  set_target_properties(bad_module_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bad_modules)
endforeach()

aduan_test(test_daemon_module SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_daemon_module.c LIBS aduan_daemon)
list(TRANSFORM bad_modules PREPEND bad_module_ OUTPUT_VARIABLE bad_targets)
add_dependencies(test_daemon_module ${bad_targets})
foreach(part address outbox parser plan verdict worker)
  aduan_test(test_daemon_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_daemon_${part}.c LIBS aduan_daemon)
endforeach()

# The loop connector with a parser that dies on request: tests/system/test_daemon_apart.py.
add_library(module_apart MODULE ${CMAKE_CURRENT_LIST_DIR}/apart_module.c ${CMAKE_SOURCE_DIR}/connectors/loop_fault.c
  ${CMAKE_SOURCE_DIR}/connectors/loop_outbox.c)
target_link_libraries(module_apart PRIVATE aduan_message aduan_kit aduan_kit_web)
target_compile_options(module_apart PRIVATE -Wno-infinite-recursion)
set_target_properties(module_apart PROPERTIES PREFIX "" OUTPUT_NAME apart
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/modules)

# Prints what became of one transfer as JSON; tests/system/test_daemon_net.py plays the servers.
add_executable(daemon_net_probe ${CMAKE_CURRENT_LIST_DIR}/daemon_net_probe.c)
target_link_libraries(daemon_net_probe PRIVATE aduan_daemon)
set_target_properties(daemon_net_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
