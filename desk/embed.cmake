# Writes each SQL file as one C string: migrations[], ended by NULL.
set(text "/* Made from desk/migrations. */\n#include \"desk/register_sql.h\"\n\nconst char *const reg_migrations[] = {\n")
foreach(file ${FILES})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
  # One literal per 16 bytes keeps the compiler's line lengths sane.
  string(REGEX REPLACE "((\\\\x..)(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?)" "\"\\1\"\n" bytes "${bytes}")
  string(APPEND text "    ${bytes}    ,\n")
endforeach()
string(APPEND text "    0,\n};\n")
file(WRITE ${OUT} "${text}")
