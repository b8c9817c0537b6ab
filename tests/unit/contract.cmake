# contract: the same suite for every module; SAMPLES names its folder in tests/platforms.
function(aduan_contract type)
  set(samples ${ARGN})
  if(NOT TARGET connector_${type} OR (samples AND NOT EXISTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../platforms/${samples}))
    message(STATUS "no contract suite for ${type}: no module or no samples")
    return()
  endif()
  aduan_test(test_contract_${type} SOURCES ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/test_contract.c
    ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/records.c LIBS connector_${type})
  target_compile_definitions(test_contract_${type} PRIVATE CONNECTOR_TYPE="${type}")
  if(samples)
    target_compile_definitions(test_contract_${type} PRIVATE SAMPLES="${samples}")
  endif()
endfunction()

aduan_contract(loop)
aduan_contract(whatsapp whatsapp)
aduan_contract(email email)
aduan_contract(counter counter)
