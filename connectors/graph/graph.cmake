# graph: what the Instagram and the Facebook module share.
add_library(aduan_graph STATIC graph/parse.c graph/event.c graph/attach.c graph/errors.c graph/send.c graph/publish.c
  graph/fetch.c graph/call.c)
target_link_libraries(aduan_graph PUBLIC aduan_message aduan_kit_web)
