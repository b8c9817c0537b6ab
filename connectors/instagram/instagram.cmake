aduan_connector(instagram
  SOURCES instagram/instagram.c instagram/public.c instagram/send.c instagram/fetch.c instagram/token.c
    instagram/selftest.c
  LIBS aduan_graph)
