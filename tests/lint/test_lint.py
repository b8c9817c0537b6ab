"""Each rule catches its planted violation, and lets the same thing done right pass."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402
from rules import RULES  # noqa: E402
from source import functions  # noqa: E402

HEAD = "/* x.c: a file for the lint's own test. */\n"
LONG = "int f(void) {\n" + "    g();\n" * 79 + "}\n"

# rule, path, what must be caught, what must pass
PLANTED = [
    ("layers", "connectors/email/x.c", '#include "queue/queue.h"', '#include "kit/text.h"'),
    ("layers", "connectors/whatsapp/x.c", '#include "email/email.h"', '#include "whatsapp/whatsapp.h"'),
    ("layers", "connectors/whatsapp/x.c", '#include "graph/graph.h"', '#include "kit/meta.h"'),
    ("layers", "connectors/instagram/x.c", '#include "facebook/facebook.h"', '#include "graph/graph.h"'),
    ("layers", "connectors/kit/x.c", '#include "whatsapp/whatsapp.h"', '#include "kit/json.h"'),
    ("layers", "queue/x.c", '#include "desk/register.h"', '#include "queue/connection.h"'),
    ("layers", "queue/x.c", '#include "conf/conf.h"', '#include "conf/fault.h"'),
    ("layers", "queue/message.c", '#include "queue/queue.h"', '#include "queue/message.h"'),
    ("layers", "conf/x.c", '#include "queue/queue.h"', '#include "connectors/kit/setting.h"'),
    ("layers", "desk/x.c", '#include "daemon/job.h"', '#include "conf/conf.h"'),
    ("layers", "desk/x.c", '#include "connectors/connector.h"', '#include "connectors/kit/text.h"'),
    ("layers", "desk/x.c", '#include "queue/connection.h"', '#include "queue/queue.h"'),
    ("layers", "daemon/x.c", '#include "conf/internal.h"', '#include "desk/desk.h"'),
    ("layers", "daemon/x.c", '#include "connectors/email/email.h"', '#include "connectors/connector.h"'),
    ("third-party", "desk/x.c", "#include <libwebsockets.h>", "#include <jansson.h>"),
    ("third-party", "connectors/email/x.c", "#include <curl/curl.h>", "#include <gmime/gmime.h>"),
    ("third-party", "connectors/kit/hook.c", "#include <openssl/hmac.h>", "#include <string.h>"),
    ("third-party", "daemon/x.c", "#include <hiredis/hiredis.h>", "#include <curl/curl.h>"),
    ("third-party", "desk/view.c", "#include <sqlite3.h>", "#include <stdio.h>"),
    ("third-party", "desk/x.c", "#include <libxml2.h>", "#include <sys/stat.h>"),
    ("third-party", "desk/x.c", "#  include <libconfig.h>", "/* #include <libconfig.h> */"),
    ("function-length", "desk/x.c", LONG, LONG.replace("    g();\n", "", 1)),
    ("function-length", "desk/x.c", "#define F { {\n" + LONG, "static const int t[] = {\n" + "1,\n" * 99 + "};\n"),
    ("file-length", "desk/x.c", "int x;\n" * 600, "int x;\n" * 599),
    ("file-length", "tests/unit/x.c", "int x;\n" * 800, "int x;\n" * 799),
    ("banned", "desk/x.c", "strcpy(a, b);", "snprintf(a, n, b); /* no strcpy(a, b) */"),
    ("banned", "daemon/x.c", 'system("ls");', 's = "system(1)"; my_system(1);'),
    ("banned", "queue/x.c", "n = atoi(s);", "n = strtol(s, &end, 10);"),
    ("banned", "conf/x.c", "p = strtok(s, d);", "p = h->strtok(s, d);"),
    ("banned", "tests/unit/x.c", "p = tmpnam(b);", "strcpy(a, b);"),
    ("banned", "connectors/email/x.c", "fd = socket(1, 2, 3);", "h->ops->stream_open(h, u, 1, &s, w, n);"),
    ("banned", "connectors/email/x.c", "fd = openat(d, n, 0);", "h->ops->blob_open(h, s);"),
    ("banned", "connectors/maildir/x.c", "if (fork() == 0)", "fd = openat(d, n, 0);"),
    ("banned", "connectors/whatsapp/x.c", "now = time(NULL);", "now = host->ops->now(host);"),
    ("loader-flags", "daemon/module.c", "dlopen(f, RTLD_NOW | RTLD_GLOBAL);", "dlopen(f, RTLD_NOW | RTLD_LOCAL);"),
    ("no-maxlen", "queue/lua/accept.lua", "redis.call('XADD', KEYS[1], 'MAXLEN', 9, '*')",
     "redis.call('XADD', KEYS[1], '*') -- never MAXLEN"),
    ("no-maxlen", "queue/x.c", 'args_add(&a, "MAXLEN");', "/* no MAXLEN */"),
    ("head-comment", "desk/x.c", "#include <stdio.h>\n", HEAD),
    ("head-comment", "desk/x.c", "/* y.c: a file for the lint's own test. */\n", HEAD),
    ("header-documented", "desk/x.h", "int f(void);\n", "#ifndef X_H\n#define X_H\n/* 0 or -errno */\nint f(void);\n#endif\n"),
    ("header-documented", "desk/x.h", "#ifndef X_H\n#define X_H\n/* x */\n" + "int f(void);\n" * 13 + "#endif\n",
     "#ifndef X_H\n#define X_H\n/* x */\n" + "int f(void);\n" * 12 + "#endif\n"),
    ("comment-style", "desk/x.c", "int x; // no\n", 'char *u = "https://x"; /* yes */\n'),
    ("sql-home", "desk/view.c", 'run("SELECT a FROM b");', 'say("select from the list");'),
    ("blanks", "desk/x.c", "int x; \n", "int x;\n"),
    ("blanks", "desk/x.c", "\tint x;\n", "    int x;\n"),
]


@pytest.mark.parametrize("rule, path, wrong, right", PLANTED, ids=[f"{p[0]}-{i}" for i, p in enumerate(PLANTED)])
def test_rule_catches_its_violation_and_nothing_else(rule, path, wrong, right):
    assert list(RULES[rule](path, wrong)), f"{rule} let it pass: {wrong[:80]}"
    assert not list(RULES[rule](path, right)), f"{rule} blames: {right[:80]}"


def test_every_rule_is_tested():
    assert {p[0] for p in PLANTED} == set(RULES)


def test_a_fault_names_file_line_rule_and_reason():
    assert list(lint.check("desk/x.c", HEAD + "\nint x;\nstrcpy(a, b);\n")) == [
        "desk/x.c:4: banned: strcpy(): no bound; use text_* or snprintf"]


def test_functions_are_found_by_their_real_borders():
    text = 'struct s { int a; };\n\nstatic int f(int (*cb)(void)) {\n    char c = \'}\'; /* } */\n    return 0; }\nint g(void)\n{\n}\n'
    assert list(functions(text)) == [("f", 3, 5), ("g", 6, 8)]


def test_the_tree_is_clean():
    faults = [f for p in lint.first_party()
              for f in lint.check(p, (lint.ROOT / p).read_text(encoding="utf-8", errors="replace"))]
    assert not faults, "\n" + "\n".join(faults)
