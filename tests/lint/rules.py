"""rules.py: the house rules of docs/architecture.md that a program can check.

A rule is a function (path, text) that yields (line, why); RULES names them. Paths are relative
to the root. Each rule has a planted violation in test_lint.py.
"""
import re

from source import blank, comments, functions

FUNCTION_MAX = 80
FILE_MAX = 600
TEST_MAX = 800

# Folder (longest prefix wins) -> what it may include between quotes, beside its own files.
LEAVES = ("connectors/kit/", "kit/", "queue/message.h", "message.h", "conf/fault.h")
LAYERS = {
    "connectors/kit/": ("kit/", "connectors/kit/", "message.h", "connector.h"),
    "connectors/": ("connector.h", "kit/", "message.h"),
    "connectors/instagram/": ("connector.h", "kit/", "message.h", "graph/"),
    "connectors/facebook/": ("connector.h", "kit/", "message.h", "graph/"),
    "connectors/maildir/": ("connector.h", "kit/", "message.h", "email/"),  # the same mails by another way in
    "connectors/lapor/": ("connector.h", "kit/", "message.h", "email/"),  # the portal's notices are mails
    "queue/message": ("connectors/kit/", "kit/", "queue/message.h", "message.h"),
    "queue/": LEAVES + ("queue/",),
    "conf/": LEAVES + ("conf/",),
    "desk/": LEAVES + ("desk/", "queue/", "conf/"),
    "daemon/": LEAVES + ("daemon/", "conf/", "queue/", "desk/", "connectors/connector.h", "connector.h"),
    "tests/": ("",),
}
# What desk/ and daemon/ may not see although the prefix above would let them.
HIDDEN = {
    "daemon/": ("desk/register_sql.h", "conf/internal.h", "queue/connection.h", "queue/script.h"),
    "desk/": ("conf/internal.h", "queue/connection.h", "queue/script.h"),
}

# Third-party header -> the only places that may include it.
THIRD_PARTY = (
    (r"jansson\.h", ("",)),
    (r"libwebsockets\.h", ("daemon/server",)),
    (r"curl/", ("daemon/",)),
    (r"gnutls/", ("daemon/host_stream",)),
    (r"systemd/", ("daemon/",)),
    (r"seccomp\.h", ("daemon/",)),
    (r"linux/(seccomp|landlock|filter|audit)\.h", ("daemon/",)),
    (r"dlfcn\.h", ("daemon/module.c",)),
    (r"libetpan/", ("connectors/email/",)),
    (r"gmime/|glib", ("connectors/email/",)),
    (r"openssl/", ("connectors/kit/sign.c",)),
    (r"hiredis/", ("queue/",)),
    (r"sqlite3\.h", ("desk/register", "queue/spool.c")),
    (r"crypt\.h", ("desk/password.c",)),
    (r"libconfig\.h", ("conf/",)),
)
SYSTEM = re.compile(
    r"(sys|linux|netinet|arpa|net|bits)/[\w./]+$|(assert|ctype|dirent|endian|err|errno|fcntl|fnmatch|ftw|getopt|glob|grp"
    r"|iconv|inttypes|langinfo|libgen|limits|locale|malloc|math|netdb|poll|pwd|regex|sched|search|setjmp|signal"
    r"|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios"
    r"|time|unistd|wchar|wctype)\.h$"
)

BANNED = {
    "strcpy": "no bound; use text_* or snprintf",
    "stpcpy": "no bound; use text_* or snprintf",
    "strcat": "no bound; use text_add",
    "strncat": "its bound is not what it seems; use text_add",
    "strncpy": "may leave no NUL; use snprintf",
    "sprintf": "no bound; use snprintf or xasprintf",
    "vsprintf": "no bound; use vsnprintf",
    "gets": "no bound",
    "strtok": "hidden state; use text_* or strchr",
    "atoi": "no errors; use strtol with a check",
    "atol": "no errors; use strtol with a check",
    "atoll": "no errors; use strtoll with a check",
    "atof": "no errors; use strtod with a check",
    "system": "a shell is never needed",
    "popen": "a shell is never needed",
    "alloca": "no bound on the stack",
    "tmpnam": "a race; use mkstemp",
    "mktemp": "a race; use mkstemp",
    "tempnam": "a race; use mkstemp",
    "asctime": "static buffer",
    "ctime": "static buffer",
    "localtime": "static buffer; use localtime_r",
    "gmtime": "static buffer; use gmtime_r",
    "rand": "predictable; use getrandom",
    "srand": "predictable; use getrandom",
    "random": "predictable; use getrandom",
    "longjmp": "skips every cleanup",
    "pthread_create": "no threads",
}
# A connector knows no kernel object: the host table has what it needs.
CONNECTOR_BANNED = {
    name: "connectors reach the world through the host table only"
    for name in ("socket", "connect", "bind", "listen", "accept", "fork", "vfork", "execve", "execvp", "open", "openat",
                 "fopen", "creat", "unlink", "rename", "sleep", "usleep", "nanosleep", "getenv", "setenv", "getaddrinfo",
                 "kill", "exit", "dlopen", "syslog")
}
# The test double plays its platform with files and pauses; nothing else may.
CONNECTOR_FREE = ("connectors/loop",)
# Its platform is a directory: it may open files, and nothing else of what is refused above.
CONNECTOR_FILES = {"connectors/maildir/": ("open", "openat")}
# A test may build its strings as it likes and call `rm`, but not reach for a race.
TEST_BANNED = ("gets", "tmpnam", "mktemp", "tempnam", "pthread_create")
CONNECTOR_CLOCK = {
    name: "time is a parameter (host->ops->now, sink->now)"
    for name in ("time", "clock_gettime", "gettimeofday")
}


def is_c(path):
    return path.endswith((".c", ".h"))


def is_test(path):
    return path.startswith("tests/")


def _line(text, at):
    return text.count("\n", 0, at) + 1


def _folder(path, table):
    return max((key for key in table if path.startswith(key)), key=len, default=None)


def _is_channel(path):
    return path.startswith("connectors/") and not path.startswith("connectors/kit/") and is_c(path)


def layers(path, text):
    folder = _folder(path, LAYERS)
    if not is_c(path) or folder is None:
        return
    own = (path.rsplit("/", 1)[0] + "/").removeprefix("connectors/")
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', blank(text, strings=False), re.M):
        name, line = match.group(1), _line(text, match.start())
        beside = ("/" not in name or name.startswith(own)) and folder != "queue/message"
        if folder == "connectors/kit/":
            beside = beside or name.startswith("kit/")
        allowed = LAYERS[folder] if folder != "connectors/" or not beside else ("",)
        if name.startswith(HIDDEN.get(folder, ("\0",))):
            yield line, f'"{name}" is internal to its folder'
        elif not (beside or name.startswith(allowed)):
            yield line, f'{folder} may not include "{name}"; it may see {", ".join(LAYERS[folder])} and its own files'


def third_party(path, text):
    if not is_c(path) or is_test(path):
        return
    for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", blank(text), re.M):
        name, line = match.group(1), _line(text, match.start())
        places = next((p for pattern, p in THIRD_PARTY if re.match(pattern, name)), None)
        if places is None and not SYSTEM.match(name):
            yield line, f"<{name}> is in no row of the third-party table (tests/lint/rules.py)"
        elif places is not None and not path.startswith(places):
            yield line, f"<{name}> belongs to {', '.join(places)} only"


def function_length(path, text):
    if not path.endswith(".c"):
        return
    for name, first, last in functions(text):
        if last - first + 1 > FUNCTION_MAX:
            yield first, f"{name}() has {last - first + 1} lines, more than {FUNCTION_MAX}"


def file_length(path, text):
    if path.endswith(".md"):
        return
    lines, most = text.count("\n"), TEST_MAX if is_test(path) else FILE_MAX
    if lines >= most:
        yield lines, f"{lines} lines; files stay below {most}"


def banned(path, text):
    if not is_c(path):
        return
    table = {name: BANNED[name] for name in (TEST_BANNED if is_test(path) else BANNED)}
    if _is_channel(path):
        table.update(CONNECTOR_CLOCK)
        table.update({} if path.startswith(CONNECTOR_FREE) else CONNECTOR_BANNED)
        for name in next((names for folder, names in CONNECTOR_FILES.items() if path.startswith(folder)), ()):
            table.pop(name, None)
    names = "|".join(sorted(table, key=len, reverse=True))
    # Not a member (->open) and not a declaration of a struct's callback ((*open)).
    for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", blank(text)):
        yield _line(text, match.start()), f"{match.group(1)}(): {table[match.group(1)]}"


def loader_flags(path, text):
    if is_c(path):
        for match in re.finditer(r"\bRTLD_GLOBAL\b", blank(text)):
            yield _line(text, match.start()), "symbols of two modules would meet; RTLD_NOW | RTLD_LOCAL"


def no_maxlen(path, text):
    """A trimmed in or out stream loses complaints. Only command.c trims, the answers to commands."""
    if path.startswith("tests/") or not path.endswith((".c", ".h", ".lua")) or path == "queue/command.c":
        return
    code = re.sub(r"--[^\n]*", "", text) if path.endswith(".lua") else blank(text, strings=False)
    for match in re.finditer(r"\b(MAXLEN|MINID|XTRIM)\b", code, re.I):
        yield _line(code, match.start()), f"{match.group(1)} drops what was acknowledged"


def head_comment(path, text):
    if not is_c(path):
        return
    if is_test(path):
        match = re.match(r"/\*.{20,}?\*/", text, re.S)
    else:
        match = re.match(rf"/\*[\s*]*{re.escape(path.rsplit('/', 1)[1])}: .{{10,}}?\.", text, re.S)
    if not match:
        yield 1, f'begins with a comment: "{path.rsplit("/", 1)[1]}: " and one sentence on what it is'


def header_documented(path, text):
    """What others call must say what it returns: a shared header has a comment per dozen prototypes."""
    if not path.endswith(".h") or is_test(path):
        return
    if not re.search(r"^#ifndef (\w+)\n#define \1\b", text, re.M):
        yield 1, "has no include guard"
    prototypes = len(re.findall(r"^[\w *]+\([^;{]*\)[^;{]*;", blank(text), re.M))
    said = sum(1 for _ in comments(text))
    if prototypes > 12 * said:
        yield 1, f"{prototypes} functions and {said} comments: nobody can call them from this page"


def comment_style(path, text):
    if is_c(path):
        for line, comment in comments(text):
            if comment.startswith("//"):
                yield line, "comments are /* */"


def sql_home(path, text):
    if path.startswith("tests/") or not path.endswith(".c") or path.startswith(("desk/register", "queue/spool.c")):
        return
    pattern = r'"\s*(?:SELECT\s.+\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\s'
    for match in re.finditer(pattern, blank(text, strings=False)):
        yield _line(text, match.start()), "SQL lives behind desk/register.h (and in queue/spool.c)"


def tabs_and_ends(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line and is_c(path):
            yield number, "a tab; indent by 4 spaces"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end of the file"


RULES = {
    "layers": layers,
    "third-party": third_party,
    "function-length": function_length,
    "file-length": file_length,
    "banned": banned,
    "loader-flags": loader_flags,
    "no-maxlen": no_maxlen,
    "head-comment": head_comment,
    "header-documented": header_documented,
    "comment-style": comment_style,
    "sql-home": sql_home,
    "blanks": tabs_and_ends,
}
