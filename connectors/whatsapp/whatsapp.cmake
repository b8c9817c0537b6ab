aduan_connector(whatsapp
  SOURCES whatsapp/whatsapp.c whatsapp/parse.c whatsapp/content.c whatsapp/system.c whatsapp/errors.c
    whatsapp/send.c whatsapp/fetch.c whatsapp/selftest.c
  LIBS aduan_kit_web)
