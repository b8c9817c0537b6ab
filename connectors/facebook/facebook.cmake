aduan_connector(facebook
  SOURCES facebook/facebook.c facebook/feed.c facebook/send.c facebook/watchdog.c facebook/selftest.c
  LIBS aduan_graph)
