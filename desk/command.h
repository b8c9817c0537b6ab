/*
 * command.h: what console and aduanctl ask of the desk, through queue_command().
 *
 * Request: {"verb": …, "actor": "root", "as": "rina", "request": "unique id", …}
 *   actor    who runs the program (login name); always there
 *   as       the acting officer; "" or absent: the actor, recorded as "sistem:ACTOR"
 *   valid_ms optional: refused when it waited longer in Redis (its sender has given up and said so)
 *   request  optional: a repeat with the same one gets the first answer (else the stream's key)
 * Answer: {"ok": true, …} or {"ok": false, "error": "one line, cause first"}.
 * Exit status of aduanctl: 0 for ok, 1 else.
 *
 * verb          members                                            answer has
 * reply         number, text, attachments: [{name, type, size}]    number, answer, status, note
 *               raw bytes of the command: the attachments' bytes, one after the other
 * note          number, text                                       number
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

/* Runs one command inside the current transaction and returns its answer (new string, JSON).
 * 0; negative: the register is unusable. Only called by the desk's loop. */
int command_run(struct room *room, const struct queue_entry *e, char **ret_answer);

#endif
