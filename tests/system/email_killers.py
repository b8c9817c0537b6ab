"""Mails that crash, stall or exhaust one MIME parser or another. Each is small enough to be dropped into a box."""


def nest(depth):
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    tail = b"".join(b"--b%d--\r\n" % i for i in range(depth - 1, -1, -1))
    return b"From: a@b.example\r\nSubject: sarang\r\nMIME-Version: 1.0\r\n" + head + b"Content-Type: text/plain\r\n\r\nhi\r\n" + tail


def killers():
    who = b"From: Penyerang <a@b.example>\r\nSubject: pembunuh\r\n"
    return {
        "comment": who + b"To: " + b"(" * 105000 + b"\r\n\r\nhi\r\n",
        "comment-balanced": who + b"Reply-To: " + b"(" * 20000 + b")" * 20000 + b" a@b\r\n\r\nhi\r\n",
        "group": who + b"To: " + b"a:" * 45000 + b";\r\n\r\nhi\r\n",
        "group-quoted": who + b'To: "' + b"a:" * 45000 + b";\r\n\r\nhi\r\n",
        "nest-60": nest(60),
        "nest-5000": nest(5000),
        "same-boundary": who + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 20000,
        "rfc822-5000": who + b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"\r\nhi\r\n",
        "parts": who + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 30000 + b"--x--\r\n",
        "header-1m": who + b"X-Lama: " + b"A" * 1000000 + b"\r\n\r\nhi\r\n",
        "headers-20k": who + b"X-A: b\r\n" * 20000 + b"\r\nhi\r\n",
        "addresses": who + b"Cc: " + b", ".join(b"a%d@b" % i for i in range(20000)) + b"\r\n\r\nhi\r\n",
        "words": who + b"X-Kata: " + b"=?utf-8?Q?" * 9000 + b"\r\n\r\nhi",
        "words-subject": b"From: a@b.example\r\nSubject: " + b"=?utf-8?Q?" * 9000 + b"\r\n\r\nhi",
        "boundary-dashes": who + b"Content-Type: multipart/mixed; boundary=" + b"-" * 60 + b"\r\n\r\n"
        + (b"-" * 2000 + b"\r\n") * 500,
        "html-deep": who + b"Content-Type: text/html\r\n\r\n" + b"<div><b>" * 100000 + b"isi",
        "html-attributes": who + b"Content-Type: text/html\r\n\r\n" + b"<a " * 100000 + b'href="',
        "html-comment": who + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100000 + b"isi",
        "empty-multipart": who + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
        "no-boundary": who + b"Content-Type: multipart/mixed\r\n\r\nisi\r\n",
        "only-lf": who.replace(b"\r\n", b"\n") + b"\nisi\n",
    }
