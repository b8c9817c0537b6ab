aduan_connector(x
  SOURCES x/x.c x/parse.c x/post.c x/dm.c x/fields.c x/api.c x/errors.c x/pull.c x/send.c x/find.c x/upload.c
    x/length.c x/fetch.c x/probe.c x/selftest.c
  LIBS aduan_kit_web)
