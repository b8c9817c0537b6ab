# web: what connectors of HTTP platforms share. Not in aduan_kit, which is a leaf without jansson.
add_library(aduan_kit_web STATIC kit/hook.c kit/json.c kit/meta.c kit/oauth1.c kit/oauth2.c kit/query.c)
target_link_libraries(aduan_kit_web PUBLIC aduan_kit PkgConfig::JANSSON)
