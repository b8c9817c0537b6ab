/*
 * command.h: what console and aduanctl ask of the desk, through queue_command().
 *
 * Request: {"verb": …, "actor": "root", "as": "rina", …} under the request's id (struct queue_order)
 *   actor    who runs the program (login name); always there
 *   as       the acting officer; "" or absent: the actor, recorded as "sistem:ACTOR"
 *   valid_ms optional: refused when it waited longer in Redis, by Redis's clock: its sender has given up
 *   again    true: do it although an equal one was just carried out
 * Answer: {"ok": true, …} or {"ok": false, "error": "one line, cause first"}.
 * Exit status of aduanctl: 0 for ok, 1 else.
 *
 * A repeat under the same id gets the first answer. An equal command (same actor, words and attachments)
 * under another id, within ten minutes of one whose answer never reached its sender, gets that answer, too,
 * with "repeated": true and a note, where a second time would be there twice (reply, note: ADDS in
 * command.c); "again": true does it all the same.
 *
 * verb          members                                            answer has
 * reply         number, text, attachments: [{name, type, size}]    number, answer, status, note
 *               raw bytes of the command: the attachments' bytes, one after the other;
 *               identity: true lets an identity number stand;
 *               or public: true (and formal: true): only the invitation, in public
 * note          number, text                                       number
 * intake        account ("" = the first counter), document (see connectors/counter.c), incomplete: true,
 *               attachments: [{name, type, size, id_copy: true}]  number, state, complete, missing, due_at,
 *               raw bytes as for reply                            possible_follow_up, receipt_id, receipt_en
 * worklist-done   id, ref, at (RFC 3339)                          id, number, status
 * worklist-failed id, reason                                      id, number, status
 * close         number, reason                                     number, state
 * reopen        number, reason                                     number, state
 * assign        number, officer ("" = nobody)                      number, officer
 * classify      number and any of class, category, section,        number
 *               confidentiality, urgency, name, address, phone
 * user-add      name, role, full, section, email, hash             name
 * user-passwd   name, hash                                         name
 * user-disable  name                                               name
 * user-enable   name                                               name
 * dead-retry    account, id                                        account, id
 * dead-drop     account, id, reason                                account, id
 * replay        account, from (RFC 3339 or date), failed: bool     count
 * ping                                                             now
 *
 * A password never travels: the caller makes the hash with password_hash()
 * (desk/password.h), for Redis keeps what passes through it in its AOF.
 */
#ifndef ADUAN_DESK_COMMAND_H
#define ADUAN_DESK_COMMAND_H

#include "queue/queue.h"

struct room;

/* What is asked and by whom, without how it is sent; raw: its bytes, or NULL. */
void command_digest(const char *command, const void *raw, size_t raw_len, char ret[65]);

/* Runs one command inside the current transaction and returns its answer (new string, JSON).
 * 0; negative: the register is unusable. Only called by the desk's loop. */
int command_run(struct room *room, const struct queue_entry *e, char **ret_answer);

#endif
