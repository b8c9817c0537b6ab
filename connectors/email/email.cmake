# email: IMAP by libetpan, MIME by GMime. Both are included here and nowhere else.
pkg_check_modules(ETPAN REQUIRED IMPORTED_TARGET libetpan)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET GLOBAL gmime-3.0) # GLOBAL: the fuzz targets link it, too
set(email_dir ${CMAKE_CURRENT_LIST_DIR})
set(email_sources)
foreach(part address compose cursor email entities fence flowed html imap imap_login mime parse pull quote report
    scan send tnef utf7 words)
  list(APPEND email_sources ${email_dir}/${part}.c)
endforeach()
# Shared with maildir, which reads and writes the same mails.
add_library(aduan_email STATIC ${email_sources})
target_link_libraries(aduan_email PUBLIC aduan_message aduan_kit_web PkgConfig::ETPAN PkgConfig::GMIME)
aduan_connector(email SOURCES ${email_dir}/module.c LIBS aduan_email)
