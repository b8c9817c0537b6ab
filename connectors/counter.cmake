aduan_connector(counter SOURCES counter.c LIBS aduan_kit_web)
