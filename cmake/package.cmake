# package.cmake: the .deb, by cpack. Included last by the top CMakeLists.txt.
#
# What is installed where is said beside each target; here are names, dependencies and the
# maintainer scripts, which only call what systemd brings: sysusers and tmpfiles.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME aduan)
set(CPACK_PACKAGE_VENDOR "Aduan")
set(CPACK_PACKAGE_CONTACT "Aduan <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "takes in the public's complaints from every channel an office has")
set(CPACK_PACKAGE_DESCRIPTION
  "Aduan turns complaints from e-mail and WhatsApp into numbered tickets, keeps
the office's deadline, and sends the answer back the way the complaint came.")
set(CPACK_PACKAGE_FILE_NAME "aduan_${PROJECT_VERSION}_${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The modules are searched, too, for they alone need libetpan and GMime.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/connectors)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 252), tzdata, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "redis-server (>= 5:7.0)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "sqlite3")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Everything below /etc/aduan is the admin's: dpkg asks before it replaces what was changed.
set(package_dir ${CMAKE_CURRENT_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${package_dir})
file(GLOB_RECURSE samples RELATIVE ${CMAKE_SOURCE_DIR}/conf ${CMAKE_SOURCE_DIR}/conf/*.conf
  ${CMAKE_SOURCE_DIR}/conf/*.profile ${CMAKE_SOURCE_DIR}/conf/templates/*.txt)
list(SORT samples)
set(conffiles "")
foreach(sample ${samples})
  string(APPEND conffiles "${ADUAN_ETC}/${sample}\n")
endforeach()
file(WRITE ${package_dir}/conffiles "${conffiles}")

file(WRITE ${package_dir}/postinst [[#!/bin/sh
set -e
if [ "$1" = configure ]; then
    systemd-sysusers aduan.conf || true
    systemd-tmpfiles --create aduan.conf || true
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || true
        # An upgrade takes over where the old one left; a first installation waits for its configuration.
        if [ -n "$2" ]; then systemctl try-restart aduan.service || true; fi
    fi
fi
]])
file(WRITE ${package_dir}/prerm [[#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now aduan.service || true
fi
]])
file(WRITE ${package_dir}/postrm [[#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
# The register is the office's book of complaints: even a purge leaves it in /var/lib/aduan.
]])
foreach(script postinst prerm postrm)
  file(CHMOD ${package_dir}/${script} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
endforeach()
file(CHMOD ${package_dir}/conffiles PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package_dir}/conffiles ${package_dir}/postinst ${package_dir}/prerm
  ${package_dir}/postrm)

install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION share/doc/aduan)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ DESTINATION share/doc/aduan FILES_MATCHING PATTERN "*.md")
include(CPack)
