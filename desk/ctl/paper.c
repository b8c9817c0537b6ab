/* paper.c: receipts, letters and notes as pages to print; see paper.h. */
#include "desk/ctl/paper.h"

#include "desk/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
    "@page{size:%s;margin:14mm}"
    "body{font:11pt/1.4 serif;color:#000;background:#fff;max-width:180mm;margin:0 auto}"
    "h1{font-size:13pt;text-align:center;margin:2mm 0}h2{font-size:12pt;margin:6mm 0 2mm}"
    ".kop{text-align:center;border-bottom:1px solid #000;padding-bottom:2mm}"
    ".nomor{font:bold 16pt monospace;text-align:center;margin:3mm 0}"
    "table{width:100%%;border-collapse:collapse}td{vertical-align:top;padding:.6mm 2mm .6mm "
    "0;overflow-wrap:anywhere}"
    "td:first-child{width:32%%}small,.en{color:#333;font-size:9pt}"
    ".isi{white-space:pre-wrap;overflow-wrap:anywhere;margin:4mm 0}.kotak{border:1px solid #000;padding:3mm}"
    ".ttd{display:flex;justify-content:space-between;margin-top:14mm}.ttd div{width:45%%;border-top:1px solid "
    "#000}";

/* Text from outside into a page: nothing of it is markup, and nothing steers. */
static void add_escaped(struct text *t, const char *s) {
    char *safe = ctl_safe(s);
    for (const char *p = safe; *p; p++) {
        switch (*p) {
        case '&':
            text_add(t, "&amp;");
            break;
        case '<':
            text_add(t, "&lt;");
            break;
        case '>':
            text_add(t, "&gt;");
            break;
        case '"':
            text_add(t, "&quot;");
            break;
        case '\'':
            text_add(t, "&#39;");
            break;
        default:
            text_add_char(t, *p);
        }
    }
    free(safe);
}

static const char *of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void begin(struct text *t, const char *size, const char *title, const char *office) {
    text_add(t, "<!DOCTYPE html>\n<html lang=\"id\"><head><meta charset=\"utf-8\">"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                "'unsafe-inline'\">\n<title>");
    add_escaped(t, title);
    text_add(t, "</title>\n<style>");
    /* Only our own constants go through the format. */
    char *css = xasprintf(style, size);
    text_add(t, css);
    free(css);
    text_add(t, "</style></head><body>\n<div class=\"kop\">");
    add_escaped(t, office);
    text_add(t, "</div>\n");
}

static char *end(struct text *t) {
    text_add(t, "</body></html>\n");
    return text_steal(t);
}

static void heading(struct text *t, const char *id, const char *en) {
    text_addf(t, "<h1>%s<br><small>%s</small></h1>\n", id, en);
}

/* An empty value is a line to write on. */
static void row(struct text *t, const char *id, const char *en, const char *value) {
    text_addf(t, "<tr><td>%s<br><small>%s</small></td><td>", id, en);
    if (value && value[0]) {
        add_escaped(t, value);
    } else {
        text_add(t, "………………………………");
    }
    text_add(t, "</td></tr>\n");
}

static void number(struct text *t, const char *n) {
    text_add(t, "<div class=\"nomor\">");
    add_escaped(t, n);
    text_add(t, "</div>\n");
}

static void body(struct text *t, const char *class, const char *text) {
    text_addf(t, "<div class=\"%s\">", class);
    add_escaped(t, text);
    text_add(t, "</div>\n");
}

static void signatures(struct text *t, const char *left, const char *right) {
    text_addf(t, "<div class=\"ttd\"><div>%s</div><div>%s</div></div>\n", left, right);
}

char *paper_receipt(const char *office, const json_t *answer) {
    const json_t *r = json_object_get(answer, "receipt_id");
    struct text t = TEXT_INIT;
    begin(&t, "A5", of(answer, "number"), office);
    heading(&t, "TANDA TERIMA PENGADUAN", "COMPLAINT RECEIPT");
    number(&t, of(answer, "number"));
    text_add(&t, "<table>\n");
    row(&t, "Diterima", "Received", of(r, "tanggal_terima"));
    row(&t, "Melalui", "Via", of(r, "kanal"));
    row(&t, "Oleh", "By", of(r, "petugas"));
    row(&t, "Nama pengadu", "Complainant", of(r, "nama"));
    row(&t, "Uraian singkat", "Summary", of(r, "ringkasan"));
    row(&t, "Kelengkapan", "Details", of(r, "daftar_kelengkapan"));
    row(&t, "Tanggapan paling lambat", "Reply due", of(r, "tenggat"));
    text_add(&t, "</table>\n<p>Tidak dipungut biaya. Simpan nomor di atas. <small>Free of charge. Please keep "
                 "the number "
                 "above.</small></p>\n");
    signatures(&t, "Tanda tangan petugas<br><small>Officer</small>",
               "Tanda tangan pengadu<br><small>Complainant</small>");
    body(&t, "isi en", of(json_object_get(answer, "receipt_en"), "text"));
    return end(&t);
}

/* -------------------------------------------------------------------- answers */

static void facts(struct text *t, const json_t *item, const char *due) {
    text_add(t, "<table>\n");
    row(t, "Pengaduan", "Complaint", of(item, "number"));
    row(t, "Nama", "Name", of(item, "name"));
    row(t, "Telepon", "Telephone", of(item, "phone"));
    row(t, "Alamat", "Address", of(item, "address"));
    row(t, "Pokok", "About", of(item, "summary"));
    row(t, "Paling lambat", "Due", due);
    text_add(t, "</table>\n");
}

/* What the office fills in once it was carried over. */
static void outcome(struct text *t, const char *when_id, const char *when_en) {
    text_add(t, "<table>\n");
    row(t, when_id, when_en, NULL);
    row(t, "Oleh", "By", NULL);
    row(t, "Catatan", "Remarks", NULL);
    text_add(t, "</table>\n");
}

static void note_call(struct text *t, const json_t *item, const char *text, const char *due) {
    heading(t, "CATATAN TELEPON", "CALL NOTE");
    number(t, of(item, "phone")[0] ? of(item, "phone") : "—");
    facts(t, item, due);
    text_add(t, "<h2>Yang disampaikan / to be told</h2>\n");
    body(t, "isi kotak", text);
    outcome(t, "Ditelepon pada", "Called on");
}

static void note_hand(struct text *t, const json_t *item, const char *text, const char *due) {
    heading(t, "CATATAN SERAH TERIMA JAWABAN", "ANSWER TO HAND OVER");
    facts(t, item, due);
    body(t, "isi kotak", text);
    outcome(t, "Diserahkan pada", "Handed over on");
    signatures(t, "Petugas<br><small>Officer</small>", "Penerima<br><small>Received by</small>");
}

static void note_paste(struct text *t, const json_t *item, const char *text, const char *due) {
    heading(t, "TEKS UNTUK SP4N-LAPOR!", "TEXT TO PASTE");
    text_add(t, "<table>\n");
    row(t, "Pengaduan", "Complaint", of(item, "number"));
    row(t, "Paling lambat", "Due", due);
    text_add(t, "</table>\n");
    body(t, "isi kotak", text);
    outcome(t, "Ditempel pada", "Pasted on");
}

char *paper_answer(const char *office, const json_t *item, const char *text, const char *due) {
    const char *way = of(item, "way");
    struct text t = TEXT_INIT;
    begin(&t, "A4", of(item, "number"), office);
    if (strcmp(way, "call") == 0) {
        note_call(&t, item, text, due);
    } else if (strcmp(way, "hand") == 0) {
        note_hand(&t, item, text, due);
    } else if (strcmp(way, "paste") == 0) {
        note_paste(&t, item, text, due);
    } else if (strcmp(way, "send") == 0) {
        note_hand(&t, item, text, due);
    } else {
        body(&t, "isi", text);
    }
    return end(&t);
}
