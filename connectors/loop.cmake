aduan_connector(loop SOURCES loop.c loop_fault.c loop_outbox.c LIBS aduan_kit_web)
