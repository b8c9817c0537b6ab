/*
 * worklist.h: answers that wait for a person to carry them over, as JSON, and the text that may be pasted.
 *
 * Read-only. An answer is named by its id ("o12-9f3a1c02") or, while it waits, by what stands before
 * the dash.
 */
#ifndef ADUAN_DESK_WORKLIST_H
#define ADUAN_DESK_WORKLIST_H

#include "connectors/kit/text.h"
#include "desk/register.h"
#include "desk/template.h"

#include <jansson.h>

enum { WORKLIST_PASTE_MAX = 1000 }; /* characters of a follow-up at SP4N-LAPOR! */

/* How it is carried over: "letter", "call", "hand", "paste" (where everybody may read it)
 * or "send". */
const char *worklist_way(const char *channel, const char *phone);
/* What waits, oldest first, of one account (NULL or "": of all): a new array of the objects below without
 * text and attachments; NULL and negative in *ret_rc. */
json_t *worklist_view(struct reg *r, const char *account, int64_t now, int offset_minutes, int *ret_rc);
/* One: {id, number, status, account, channel, way, name, address, phone, language, summary, received_at,
 * queued_at, due_at, overdue, text, names, phones, attachments: [{name, type, size, sha256}]}; NULL with
 * REG_NOTHING or negative in *ret_rc. Also what was carried over already: see status. */
json_t *worklist_item(struct reg *r, const char *id, int64_t now, int offset_minutes, int *ret_rc);
/* The answer that waits under this name: 0, REG_NOTHING, negative. */
int worklist_find(struct reg *r, const char *id, struct reg_out *ret);

/* Why everybody must not read this text: an identity number, a name of `names` or a number of `phones` (arrays
 * of strings) stands in it. NULL: nothing does; else a new line for the officer. Pure. */
char *worklist_private_fault(const char *text, const json_t *names, const json_t *phones);
/* R-22 around an item's text, fit to be pasted. 0, or -1 and why. Pure. */
int worklist_paste(const struct templates *t, const json_t *item, struct text *out, char *why, size_t why_size);

#endif
