"""source.py: C source as the lint sees it: comments and strings blanked, functions found."""
import re

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def _spaces(text):
    return "".join("\n" if c == "\n" else " " for c in text)


def blank(text, strings=True):
    """The same text, same lines and columns, without comments (and without what strings hold)."""

    def swap(match):
        token = match.group(0)
        if token[0] == "/":
            return _spaces(token)
        if not strings:
            return token
        return token[0] + _spaces(token[1:-1]) + token[-1]

    return TOKEN.sub(swap, text)


def comments(text):
    """(line, comment) of every comment."""
    for match in TOKEN.finditer(text):
        if match.group(0)[0] == "/":
            yield text.count("\n", 0, match.start()) + 1, match.group(0)


def _without_directives(text):
    """Preprocessor lines (with their continuations) blanked: a macro's braces are no function's."""
    out, inside = [], False
    for line in text.split("\n"):
        inside = inside or line.lstrip().startswith("#")
        out.append(" " * len(line) if inside else line)
        inside = inside and line.endswith("\\")
    return "\n".join(out)


def functions(text):
    """(name, first line, last line) of every function's definition, signature included."""
    code = _without_directives(blank(text))
    depth, head, start = 0, 0, None
    for at, char in enumerate(code):
        if char == "{":
            if depth == 0:
                start = (head, at)
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                yield from _function(code, start, at)
                head = at + 1
        elif char == ";" and depth == 0:
            head = at + 1


def _function(code, start, end):
    before = code[start[0]:start[1]]
    signature = re.search(r"(\w+)\s*\(.*\)\s*(?:__attribute__\s*\(\(.*\)\)\s*)?$", before, re.S)
    if signature and "=" not in before:
        first = start[0] + len(before) - len(before.lstrip())
        yield signature.group(1), code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1
