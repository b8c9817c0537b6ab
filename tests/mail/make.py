#!/usr/bin/python3
"""Writes the corpus: own/NAME.eml and own/expect.json. Run by hand after a change; the results are committed.

Expectations are a subset of the record's JSON: every key given must be equal; "text~" means contains,
"no~" means does not contain (over text), "attachments" is a list of [name, type, size].
"""
import base64
import json
import os
import quopri
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "own")
CASES = {}


def mail(body, **fields):
    head = {"From": "Siti <siti@warga.test>", "To": "pengaduan@kantor.test", "Subject": "Keluhan",
            "Date": "Sat, 19 Sep 2026 14:20:00 +0700", "Message-ID": "<1@warga.test>", "MIME-Version": "1.0"}
    for k, v in fields.items():
        head[k.replace("_", "-")] = v
    if isinstance(body, str):
        body = body.encode()
    out = b""
    for k, v in head.items():
        if v is not None:
            out += k.encode() + b": " + (v if isinstance(v, bytes) else v.encode()) + b"\r\n"
    return out + b"\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def raw_mail(body, **fields):
    """The same with the body's bytes untouched."""
    return mail("", **fields) + body


def case(name, bytes_, /, **expect):
    CASES[name] = (bytes_, {k.replace("_has", "~").replace("_lacks", "!"): v for k, v in expect.items()})


def multi(kind, *parts, boundary="b", more=""):
    body = "".join("--%s\n%s\n" % (boundary, p) for p in parts) + "--%s--\n" % boundary
    return dict(Content_Type='multipart/%s; boundary="%s"%s' % (kind, boundary, more)), body


def part(type_, body, *headers):
    return "\n".join(("Content-Type: " + type_,) + headers) + "\n\n" + body


def b64(s):
    return base64.b64encode(s if isinstance(s, bytes) else s.encode()).decode()


def word(s, charset="utf-8", enc="B"):
    return "=?%s?B?%s?=" % (charset, b64(s.encode(charset) if isinstance(s, str) else s))


# ------------------------------------------------------------------ charsets
case("charset-utf8", mail("Pelayanan – lama", Content_Type="text/plain; charset=utf-8"), text="Pelayanan – lama")
case("charset-1252-labelled-latin1", raw_mail(b"harga \x8010 \x96 \x93ya\x94", Content_Type="text/plain; charset=iso-8859-1"),
     text="harga €10 – “ya”")
case("charset-utf8-labelled-latin1", mail("Pelayanan – lama é", Content_Type="text/plain; charset=iso-8859-1"),
     text="Pelayanan – lama é")
case("charset-utf8-labelled-ascii", mail("kafé", Content_Type="text/plain; charset=us-ascii"), text="kafé")
case("charset-1252-labelled-utf8", raw_mail(b"caf\xe9 \x96 baik", Content_Type="text/plain; charset=utf-8"), text="café – baik")
case("charset-missing-8bit", raw_mail(b"caf\xe9", Content_Type="text/plain"), text="café")
case("charset-unknown", mail("kafé", Content_Type="text/plain; charset=x-unknown"), text="kafé")
case("charset-nonsense", mail("kafé", Content_Type='text/plain; charset="//TRANSLIT"'), text="kafé")
case("charset-gb2312-is-gb18030", raw_mail("投诉 镕".encode("gb18030"), Content_Type="text/plain; charset=gb2312"), text="投诉 镕")
case("charset-shift-jis", raw_mail("苦情①".encode("cp932"), Content_Type="text/plain; charset=shift_jis"), text="苦情①")
case("charset-euc-kr", raw_mail("불만 똠".encode("cp949"), Content_Type="text/plain; charset=ks_c_5601-1987"), text="불만 똠")
case("charset-koi8", raw_mail("жалоба".encode("koi8-r"), Content_Type="text/plain; charset=koi8-r"), text="жалоба")
case("charset-iso-2022-jp", raw_mail("苦情".encode("iso-2022-jp"), Content_Type="text/plain; charset=iso-2022-jp"), text="苦情")
case("charset-utf16", mail(b64("keluhan – é".encode("utf-16")), Content_Type="text/plain; charset=utf-16",
                           Content_Transfer_Encoding="base64"), text="keluhan – é")
case("charset-bom", mail("\ufeffKeluhan", Content_Type="text/plain; charset=utf-8"), text="Keluhan")
case("charset-arabic", raw_mail("شكوى".encode("cp1256"), Content_Type="text/plain; charset=windows-1256"), text="شكوى")
# --------------------------------------------------------------- encoded words
case("words-q", mail("x", Subject="=?utf-8?q?Keluhan=3A_pesanan_=238841_belum_sampai_=E2=80=93_sudah_5_hari?="),
     subject="Keluhan: pesanan #8841 belum sampai – sudah 5 hari")
case("words-split-character", mail("x", Subject="=?utf-8?B?%s?=\r\n =?utf-8?B?%s?=" % (b64(b"lama \xe2\x80"), b64(b"\x93 sekali"))),
     subject="lama – sekali")
case("words-split-q-mixed", mail("x", Subject="=?UTF-8?Q?a=E2=80?= =?utf-8?B?%s?=" % b64(b"\x93b")), subject="a–b")
case("words-between-text", mail("x", Subject="Re: =?utf-8?q?caf=C3=A9?= lama"), subject="Re: café lama")
case("words-in-quoted-from", mail("x", From='"=?utf-8?q?Siti_R=C3=A4hma?=" <siti@warga.test>'), name="Siti Rähma",
     conversation="siti@warga.test")
case("words-language-suffix", mail("x", Subject="=?utf-8*id?q?caf=C3=A9?="), subject="café")
case("words-unclosed", mail("x", Subject="=?utf-8?q?belum selesai"), subject="=?utf-8?q?belum selesai")
case("words-raw-utf8", mail("x", Subject="Keluhan – paspor"), subject="Keluhan – paspor")
case("words-raw-1252", mail("x", Subject=b"Keluhan \x96 paspor"), subject="Keluhan – paspor")
case("words-bidi-and-control", mail("x", Subject=word("aman\u202e\u0007gpj.exe")), subject="aman gpj.exe")
case("words-iso-2022-jp", mail("x", Subject=word("苦情の件", "iso-2022-jp")), subject="苦情の件")
# ------------------------------------------------------------------- parameters
for n, (header, want) in {
    "2231": ("filename*=UTF-8''bukti%20transfer%20%E2%80%93%2012%20Okt.pdf", "bukti transfer – 12 Okt.pdf"),
    "2231-continued": ("filename*0*=UTF-8''bukti%20; filename*1*=%E2%80%93%20a; filename*2=\".pdf\"", "bukti – a.pdf"),
    "2047-in-filename": ('filename="=?UTF-8?Q?bukti_=E2=80=93_a.pdf?="', "bukti – a.pdf"),
    "path": ('filename="../../etc/passwd"', "passwd"),
    "windows-path": ('filename="C:\\\\Users\\\\siti\\\\ktp.jpg"', "ktp.jpg"),
    "raw-utf8": ('filename="bukti – a.pdf"', "bukti – a.pdf"),
    "bidi": ("filename*=UTF-8''a%E2%80%AEfdp.exe", "afdp.exe"),
    "reserved": ('filename="a:b?c*.pdf"', "a_b_c_.pdf"),
}.items():
    fields, body = multi("mixed", part("text/plain", "isi"), part("application/pdf", b64("%PDF-1"), "Content-Disposition: attachment;"
                         " " + header, "Content-Transfer-Encoding: base64"))
    case("file-" + n, mail(body, **fields), text="isi", attachments=[[want, "application/pdf", 6]])
fields, body = multi("mixed", part("text/plain", "isi"), part("image/png", b64(b"\x89PNG"), "Content-Transfer-Encoding: base64"))
case("file-without-name", mail(body, **fields), attachments=[["lampiran.png", "image/png", 4]])
fields, body = multi("mixed", part("text/plain", "isi"), part('image/png; name="foto.png"', b64(b"\x89PNG"),
                                                              "Content-Transfer-Encoding: base64"))
case("file-name-in-content-type", mail(body, **fields), attachments=[["foto.png", "image/png", 4]])
# ----------------------------------------------------------------------- bodies
case("flowed", mail("satu baris \nyang panjang\n> kutipan \n> panjang\n-- \nSiti\n", Content_Type="text/plain; format=flowed"),
     text="satu baris yang panjang", quoted_has="Siti")
case("flowed-delsp", mail("苦情 \nです\n", Content_Type="text/plain; charset=utf-8; format=flowed; delsp=yes"), text="苦情です")
case("qp-broken", mail("a=20b=zz=\nc=e2=80=93", Content_Type="text/plain; charset=utf-8",
                       Content_Transfer_Encoding="quoted-printable"), text_has="c–")
case("base64-junk", mail("S2Vs\ndW**hh\nbg", Content_Type="text/plain", Content_Transfer_Encoding="base64"), text="Keluhan")
fields, body = multi("alternative", part("text/plain; charset=utf-8", "polos"), part("text/html", "<b>tebal</b>"))
case("alternative-prefers-plain", mail(body, **fields), text="polos")
fields, body = multi("alternative", part("text/plain; charset=utf-8", " \n"), part("text/html", "<b>tebal</b>"))
case("alternative-empty-plain", mail(body, **fields), text="tebal")
case("html-only", mail("<html><head><title>t</title><style>p{x}</style></head><body><p>Yth. Bapak,</p><p>Paspor &amp; visa &ndash; "
                       "<a href='https://contoh.test/x'>lihat</a></p><ul><li>satu<li>dua</ul><script>alert(1)</script></body>",
                       Content_Type="text/html; charset=utf-8"),
     text="Yth. Bapak,\n\nPaspor & visa – lihat <https://contoh.test/x>\n\n- satu\n- dua")
case("html-hidden", mail('<div style="display:none">rahasia</div><span style="font-size:0px">nol</span>'
                         '<span style="font-size:0.9em">tampak</span>', Content_Type="text/html"), text="tampak")
case("html-only-hidden", mail('<div style="display: none">satu-satunya</div>', Content_Type="text/html"), text="satu-satunya")
case("html-meta-charset", raw_mail(b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
                                   + "жалоба".encode("cp1251"), Content_Type="text/html"), text="жалоба")
case("html-entities", mail("&lt;b&gt; 3 < 5 &#8211; &#x2013; &nbsp;&eacute; &bukan; &#0;", Content_Type="text/html"),
     text_has="<b> 3 < 5 – – é &bukan;")
case("html-unclosed", mail("isi <b>tebal <a href=\"x", Content_Type="text/html"), text_has="isi tebal")
fields, body = multi("mixed", part("text/plain", "atas"), part("image/jpeg", b64(b"\xff\xd8"), "Content-Disposition: inline",
                     "Content-Transfer-Encoding: base64"), part("text/plain", "bawah"))
case("apple-inline", mail(body, **fields), text="atas\n\nbawah", attachments=[["lampiran.jpg", "image/jpeg", 2]])
# ---------------------------------------------------------------------- quotes
REPLY = "Belum selesai, Pak.\n\n%s"
for n, quote in {
    "en": "On Sat, Sep 19, 2026 at 2:55 PM Kantor <a@b> wrote:\n> Halo\n> apa kabar\n",
    "id": "Pada Sab, 19 Sep 2026 14.55, Kantor <a@b> menulis:\n\n> Halo\n",
    "id-wrapped": "Pada Sab, 19 Sep 2026 14.55, Kantor Imigrasi Kelas I TPI <pengaduan@kantor.test>\nmenulis:\n\n> Halo\n",
    "id-wrapped-3": "Pada Sab, 19 Sep 2026 pukul 14.55\nKantor Imigrasi <pengaduan@kantor.test>\nmenulis:\n> Halo\n",
    "outlook-id": "Dari: Kantor <a@b>\nDikirim: 19 September 2026 14:55\nKepada: Siti\nSubjek: Balasan\n\nHalo\n",
    "outlook-en": "________________________________\nFrom: Kantor <a@b>\nSent: Saturday\nTo: Siti\nSubject: x\n\nHalo\n",
    "pesan-asli": "-----Pesan Asli-----\nDari: Kantor\nHalo\n",
    "original-message": "-----Original Message-----\nFrom: Kantor\nHalo\n",
    "marker": "-- Balas di atas baris ini --\nHalo\n",
    "bare": "> Halo\n> lagi\n",
}.items():
    case("quote-" + n, mail(REPLY % quote), text="Belum selesai, Pak.", quoted_has="Halo")
case("quote-bottom-reply", mail("Pada Sab, Kantor <a@b> menulis:\n> Halo\n\nBalasan di bawah\n"), text="Balasan di bawah",
     quoted_has="> Halo")
case("quote-interleaved", mail("Yth\n> satu?\nya\n> dua?\ntidak\n"), text_has="> satu?")
case("quote-nothing-left", mail("On Sat, Kantor <a@b> wrote:\n> Halo\n"), text_has="Halo")
case("quote-forwarded", mail("Mohon ditindak\n\n---------- Forwarded message ---------\nFrom: X <x@y>\nDate: Sat\nSubject: z\n"
                             "To: Siti\n\nIsi terusan\n"), text_has="Isi terusan")
case("quote-pada-in-a-sentence", mail("Pada hari Senin saya menulis: tidak ada jawaban.\nTolong.\n"), text_has="Tolong.")
case("quote-gmail-html", mail('<div>Belum.</div><div class="gmail_quote"><div class="gmail_attr">Pada Sab menulis:</div>'
                              '<blockquote class="gmail_quote">Halo</blockquote></div>', Content_Type="text/html"),
     text="Belum.", quoted_has="Halo")
case("quote-yahoo-html", mail('<div>Belum.</div><div class="yahoo_quoted" id="yahoo_quoted_1"><div>Pada Sab</div>Halo</div>',
                              Content_Type="text/html"), text="Belum.", quoted_has="Halo")
case("quote-outlook-html", mail('<div>Belum.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">Dari: x</div><div>Halo</div>',
                                Content_Type="text/html"), text="Belum.", quoted_has="Halo")
case("quote-thunderbird-html", mail('<p>Belum.</p><div class="moz-cite-prefix">On x wrote:</div><blockquote type="cite">Halo'
                                    '</blockquote>', Content_Type="text/html"), text="Belum.", quoted_has="Halo")
case("signature", mail("Tolong.\n\n-- \nSiti Rahma\nJl. Melati 5\n"), text="Tolong.", quoted_has="Jl. Melati 5")
# --------------------------------------------------------------- odd containers
fields, body = multi("mixed", part("text/plain", "lihat"), part("message/rfc822", "From: x@y\nSubject: dalam\n\nisi dalam\n"))
case("attached-mail", mail(body, **fields), text="lihat", attachments=[["dalam.eml", "message/rfc822", None]])


def tnef(*attributes):
    out = struct.pack("<IH", 0x223E9F78, 1)
    for level, tag, data in attributes:
        out += struct.pack("<BII", level, tag, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    return out


WIN = tnef((1, 0x0002800C, b"Isi dari Outlook\0"), (2, 0x00069002, b"\0" * 14), (2, 0x00018010, b"ktp.pdf\0"), (2, 0x0006800F, b"%PDF"))
fields, body = multi("mixed", part("text/plain", " "), part('application/ms-tnef; name="winmail.dat"', b64(WIN),
                     "Content-Transfer-Encoding: base64"))
case("winmail", mail(body, **fields), text="Isi dari Outlook", attachments=[["winmail.dat", "application/ms-tnef", len(WIN)],
                                                                           ["ktp.pdf", "application/octet-stream", 4]])
fields, body = multi("mixed", part("text/plain", "ada"), part('application/ms-tnef; name="winmail.dat"', b64(WIN[:30]),
                     "Content-Transfer-Encoding: base64"))
case("winmail-cut", mail(body, **fields), text="ada", attachments=[["winmail.dat", "application/ms-tnef", 30]])
fields, body = multi("signed", part("text/plain", "resmi"), part('application/pkcs7-signature; name="smime.p7s"', b64("x"),
                     "Content-Transfer-Encoding: base64"), more='; protocol="application/pkcs7-signature"')
case("smime-signed", mail(body, **fields), text="resmi", note_has="signed")
fields, body = multi("encrypted", part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", "x"),
                     more='; protocol="application/pgp-encrypted"')
case("pgp-mime", mail(body, **fields), note_has="terenkripsi")
case("pgp-inline", mail("-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n"), note_has="PGP")
case("calendar-reply", mail("BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n", Content_Type="text/calendar; method=REPLY"), flags=1)
# ------------------------------------------------------------------- machines
for n, (fields, flags) in {
    "auto-submitted": (dict(Auto_Submitted="auto-replied (vacation)"), 1),
    "auto-submitted-no": (dict(Auto_Submitted="no"), None),
    "precedence": (dict(Precedence="bulk"), 1),
    "list": (dict(List_Id="<x.y>"), 17),
    "suppress": (dict(X_Auto_Response_Suppress="OOF, AutoReply"), 1),
    "null-path": (dict(Return_Path="<>"), 1),
    "noreply": (dict(From="No Reply <noreply@bank.test>"), 1),
    "our-loop": (dict(X_Aduan_Loop="x"), 1),
    "ourselves": (dict(From="pengaduan@kantor.test"), 1),
    "list-request": (dict(From="abc-request@lists.test"), 1),
    "person": (dict(), None),
}.items():
    case("machine-" + n, mail("x", **fields), flags=flags, kind="message")
DSN = ["From: MAILER-DAEMON@mx.test\nMessage-ID: <t9.x@kantor.test>\n"]


def dsn(action, status="5.1.1", original="<t9.x@kantor.test>"):
    f, b = multi("report", part("text/plain", "tidak sampai"),
                 part("message/delivery-status", "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; Siti@Warga.Test\n"
                      "Action: %s\nStatus: %s\nDiagnostic-Code: smtp; 550 5.1.1 tidak ada\n" % (action, status)),
                 part("text/rfc822-headers", "From: pengaduan@kantor.test\nMessage-ID: %s\n" % original),
                 more="; report-type=delivery-status")
    return mail(b, From="Mail <mailer-daemon@mx.test>", **f)


case("dsn-failed", dsn("Failed"), kind="status", state="failed", status_id="t9.x@kantor.test", conversation="siti@warga.test")
case("dsn-delayed", dsn("delayed", "4.4.1"), kind="system", reply_to="t9.x@kantor.test", flags=1)
case("dsn-delivered", dsn("delivered", "2.0.0"), kind="status", state="delivered")
case("dsn-not-ours", dsn("failed", original="<x@lain.test>"), kind="system", flags=3)
fields, body = multi("report", part("text/plain", "dibaca"), part("message/disposition-notification",
                     "Final-Recipient: rfc822; siti@warga.test\nOriginal-Message-ID: <t9.x@kantor.test>\n"
                     "Disposition: manual-action/MDN-sent-manually; displayed\n"), more="; report-type=disposition-notification")
case("mdn-read", mail(body, **fields), kind="status", state="read", status_id="t9.x@kantor.test")
case("bounce-free-text", mail("Sorry.\n\n--- copy ---\nMessage-ID: <t9.x@kantor.test>\n", From="mailer-daemon@qmail.test"),
     kind="status", state="failed")
# ------------------------------------------------------------------- header oddities
case("from-group", mail("x", From="Warga: Siti <siti@warga.test>, b@c.test;"), conversation="siti@warga.test")
case("from-comment", mail("x", From="siti@warga.test (Siti (istri) Rahma)"), conversation="siti@warga.test", name="Siti (istri) Rahma")
case("from-several", mail("x", From="a@b.test, c@d.test"), conversation="a@b.test")
case("from-missing", mail("x", From=None, Return_Path="<siti@warga.test>"), conversation="siti@warga.test")
case("from-quoted-comma", mail("x", From='"Rahma, Siti" <SITI@Warga.Test>'), conversation="siti@warga.test", name="Rahma, Siti")
case("from-spoofed-name", mail("x", From='"kepala@kantor.test" <jahat@x.test>'), conversation="jahat@x.test")
case("from-utf8-address", mail("x", From="Üser <üser@warga.test>"), name="Üser", conversation="üser@warga.test")
case("references-folded", mail("x", References="<a@b>\r\n <c@d> junk <e@f>", In_Reply_To="<e@f> (msg)"), reply_to="e@f",
     references=["a@b", "c@d", "e@f"])
case("message-id-missing", mail("x", Message_ID=None), message_id=None)
case("date-bad", mail("x", Date="kemarin"), sent_at=0)
case("date-no-seconds", mail("x", Date="19 Sep 2026 14:20 WIB +0700"), kind="message")
case("reply-to-other", mail("x", Reply_To="lain@warga.test"), conversation="siti@warga.test")
case("no-header", b"\r\nhanya isi\r\n", kind="message")
case("empty", b"", kind="unparsed")
case("bare-lf", mail("satu\ndua").replace(b"\r\n", b"\n"), text="satu\ndua")
case("boundary-space", mail("--b \n\nisi\n--b-- \n", Content_Type='multipart/mixed; boundary="b "'), text_has="isi")
case("boundary-prefix", mail("--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\ndalam\n--ab--\n--a\n\nluar\n--a--\n",
                             Content_Type="multipart/mixed; boundary=a"), text="dalam\n\nluar")
case("no-end-boundary", mail("--b\n\nisi\n", Content_Type="multipart/mixed; boundary=b"), text="isi")
case("subject-crlf-injection", mail("x", Subject=word("a\r\nBcc: x@y")), subject_lacks="\n")

os.makedirs(OUT, exist_ok=True)
for old in os.listdir(OUT):
    os.unlink(os.path.join(OUT, old))
expect = {}
for name, (bytes_, want) in CASES.items():
    with open(os.path.join(OUT, name + ".eml"), "wb") as f:
        f.write(bytes_)
    expect[name] = want
with open(os.path.join(OUT, "expect.json"), "w") as f:
    json.dump(expect, f, indent=1, ensure_ascii=False, sort_keys=True)
    f.write("\n")
print(len(CASES), "mails")
