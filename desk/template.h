/*
 * template.h: the office's reply texts, as files an office can edit.
 *
 * POLICY/templates/{id,en}/R-01.txt …: leading lines that start with '#' are
 * remarks; {{name}} is a value; [[? name … ]] is printed only when name has a
 * value; ** (Markdown) is dropped, for the channels carry plain text. Which
 * values a text may use is a table in template.c, checked at load together with
 * brackets, languages and length, so that a fault shows at start with file and
 * line and not in a letter to a citizen. POLICY/templates/{id,en}/common.conf
 * gives the values that are the same in every text (telp, wa, situs,
 * jam_layanan, darurat).
 */
#ifndef ADUAN_DESK_TEMPLATE_H
#define ADUAN_DESK_TEMPLATE_H

#include "conf/fault.h"
#include "connectors/kit/text.h"

#include <stdbool.h>
#include <stddef.h>

struct templates;

/* One value; NULL or "" is "not set". Values go in as they are: nothing in them is expanded. */
struct template_value {
    const char *name, *value;
};

/* Never NULL; usable only if no fault was added. */
struct templates *templates_load(const char *policy_dir, struct faults *f);
struct templates *templates_free(struct templates *t); /* accepts and returns NULL */

/* name: "R-01", "R-01L", …; lang: "en" is English, anything else Indonesian. The text is appended
 * to out, without a line end at its end. 0, or -1 with a reason in why: no such template, or a
 * value that the text needs is not set (out is then unchanged). Pure.
 *
 * The values each text takes (all as text; tenggat, tanggal_terima and tanggal_mulai by
 * calendar_time_text(), so with their zone):
 *   R-01   nama, nomor_tiket, tanggal_terima, tenggat   receipt
 *   R-01L  tanggal_mulai                                appended: came outside office hours
 *   R-01R  nomor_tiket, tenggat                         receipt, confidential or anonymous
 *   R-05   nama, nomor_tiket, ringkasan, jawaban, petugas_jabatan, [permohonan_maaf]   answer
 *   R-13   nama, nomor_tiket, tenggat                   reopened
 *   R-14   none at all                                  the only public text
 * and further ones as the table in template.c lists them. template_fallback_name() is what `nama`
 * is when the name is not known. */
int template_render(const struct templates *t, const char *lang, const char *name,
                    const struct template_value *v, size_t n, struct text *out, char *why, size_t why_size);
const char *template_fallback_name(const char *lang); /* "Bapak/Ibu", "Sir or Madam" */
/* May it appear where everybody can read it? (R-14 and R-14F) */
bool template_is_public(const char *name);

#endif
