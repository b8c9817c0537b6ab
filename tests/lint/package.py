#!/usr/bin/python3
"""package.py BUILD: looks into the .deb that cpack made, and tries what was installed into a directory."""
import pathlib
import subprocess
import sys
import tempfile

NEEDED = ("./usr/sbin/aduand", "./usr/bin/aduanctl", "./usr/lib/aduan/connectors/email.so",
          "./usr/lib/aduan/connectors/whatsapp.so", "./usr/include/aduan/connector.h",
          "./usr/lib/pkgconfig/aduan-connector.pc", "./usr/share/doc/aduan/README.md", "./usr/share/doc/aduan/admin.md")
UNIT = ("aduan.service", "sysusers.d/aduan.conf", "tmpfiles.d/aduan.conf")


def run(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout


def faults_of(deb):
    files = [line.split()[5] for line in run("dpkg-deb", "-c", deb).splitlines()]
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", deb).splitlines()}
    for name in NEEDED:
        if name not in files:
            yield f"{name} is missing"
    for name in UNIT:
        if not any(f.endswith("/" + name) for f in files):
            yield f"{name} is missing"
    if owners != {"root/root"}:
        yield f"files belong to {owners}"
    fields = run("dpkg-deb", "-f", deb)
    for library in ("libhiredis", "libsqlite3", "libwebsockets", "libcurl", "libjansson", "libgmime", "libconfig"):
        if library not in fields:
            yield f"Depends does not name {library}: {fields}"
    conffiles = run("dpkg-deb", "-I", deb, "conffiles").split()
    yield from (f"conffile {c} is not in the package" for c in conffiles if "." + c not in files)
    yield from (f"{f} is no conffile" for f in files if f.startswith("./etc/") and not f.endswith("/") and f[1:] not in conffiles)


def tried(deb):
    """The programs of the package run from where they were unpacked, and find their modules."""
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        run("dpkg-deb", "-x", deb, root)
        yield from () if run(root / "usr/sbin/aduand", "-V").startswith("aduand ") else ["aduand -V says nothing"]
        secrets = root / "secrets"
        secrets.mkdir(mode=0o700)
        conf = root / "aduan.conf"
        conf.write_text(f'''office = {{ name = "Kantor Uji"; code = "UJI"; timezone = "Asia/Jakarta"; language = "id"; }};
state = "{root}/state"; secrets = "{secrets}"; policy = "{root}/etc/aduan"; queue = {{ redis = "unix:{root}/redis.sock"; }};
connectors = ( {{ name = "l"; type = "loop"; inbox = "{root}/in"; outbox = "{root}/out"; }} );
''')
        check = subprocess.run([root / "usr/sbin/aduand", "-c", conf, "-n"], capture_output=True, text=True, check=False)
        if check.returncode != 0:
            yield f"aduand -n of the package ends with {check.returncode}: {check.stdout}{check.stderr}"


def main(build):
    debs = sorted(pathlib.Path(build).glob("*.deb"))
    if len(debs) != 1:
        print(f"expected one .deb in {build}, found {len(debs)}")
        return 1
    found = [*faults_of(debs[0]), *tried(debs[0])]
    print("\n".join(found) if found else f"{debs[0].name} is whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
