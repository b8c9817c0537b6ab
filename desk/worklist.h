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

/* Is this a portal where everybody may read the answers, whether a person or the API carries them there? */
bool worklist_is_portal(const char *channel);
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

/* Why everybody must not read this text: an identity number or something of the reporter stands in it. who:
 * {names, phones, addresses}, arrays of strings. NULL: nothing does; else a new line for the officer. Pure. */
char *worklist_private_fault(const char *text, const json_t *who);
/* R-22 around a text; around one that has it already, not again. 0, or -1 and why. Pure. */
int worklist_wrap(const struct templates *t, const char *language, const char *number, const char *text,
                  struct text *out, char *why, size_t why_size);
/* An item's text as it is to be pasted: wrapped, and fit for everybody. That it is short enough was seen when
 * it was written. 0, or -1 and why. Pure. */
int worklist_paste(const struct templates *t, const json_t *item, struct text *out, char *why, size_t why_size);

#endif
