/*
 * paper.h: what is printed at the counter, as self-contained HTML: no script, no link, everything escaped.
 * Pure.
 *
 * Every string is new. office is the office's full name, as configured.
 */
#ifndef ADUAN_DESK_CTL_PAPER_H
#define ADUAN_DESK_CTL_PAPER_H

#include <jansson.h>

/* R-20 from an intake's answer (receipt_id, receipt_en): A5, Indonesian, English below. */
char *paper_receipt(const char *office, const json_t *answer);

/* One answer to carry over (worklist_item()): a letter (text: R-18 filled in), a note to call or to hand over
 * (text: the answer), or a text to paste. A4. due: in words, or NULL. */
char *paper_answer(const char *office, const json_t *item, const char *text, const char *due);

#endif
