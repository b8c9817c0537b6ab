# email: IMAP by libetpan, MIME by GMime. Both are included here and nowhere else.
pkg_check_modules(ETPAN REQUIRED IMPORTED_TARGET libetpan)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET GLOBAL gmime-3.0) # GLOBAL: the fuzz targets link it, too
set(email_dir ${CMAKE_CURRENT_LIST_DIR})
set(email_sources)
foreach(part address compose cursor email entities fence flowed html imap imap_login mime parse pull quote report
    scan send tnef utf7 words)
  list(APPEND email_sources ${email_dir}/${part}.c)
endforeach()
aduan_connector(email SOURCES ${email_sources} LIBS aduan_kit_web PkgConfig::ETPAN PkgConfig::GMIME)
