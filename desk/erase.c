/*
 * erase.c: what its author took back goes: text, name of the case, bytes, files.
 *
 * A file may be wanted by somebody else: the same picture in another message, an answer, a dead letter. The
 * register knows all of these but one: what a worker has stored just now and only tells us next. So a file is
 * removed when
 *   - nothing in the register refers to it,
 *   - everything that waits for us in Redis was read (our caller sees to it), and
 *   - nobody has stored it again within ERASE_AFTER_MS: blob_put() of what is there makes it young.
 * Whoever stores it after that stores it anew. We may die at any point: the register still says "forgotten",
 * and removing what is gone changes nothing.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdlib.h>

static const char taken_back[] = "[dihapus oleh pengirim / deleted by its sender]";

static char *name_after(const struct reg_message *m) {
    return m->subject[0] != '\0' ? xstrdup(m->subject) : inbound_subject(m->text);
}

struct names {
    int64_t except; /* message */
    char *name;     /* of the first that has one */
};

static int first_name(void *arg, const struct reg_message *m) {
    struct names *n = arg;

    if (m->out || m->id == n->except || m->purged_at > 0)
        return 0;
    n->name = name_after(m);
    if (n->name[0] != '\0')
        return 1;
    free(n->name);
    n->name = NULL;
    return 0;
}

/* Is the case called after this message? Edits do not rename it, so the first message's case always may be. */
static int named_after(struct room *room, const struct reg_message *m, const struct reg_case *c, bool *ret) {
    struct reg_message first;
    char *name = name_after(m);
    int rc;

    *ret = name[0] != '\0' && text_equal(name, c->subject);
    free(name);
    if (*ret)
        return 0;
    rc = reg_message_first(room->reg, c->id, &first);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    *ret = first.id == m->id;
    reg_message_clear(&first);
    return 0;
}

static int rename_case(struct room *room, const struct reg_message *m) {
    struct names names = { .except = m->id };
    struct reg_case c;
    bool after = false;
    int rc = reg_case_get(room->reg, m->ticket, &c);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = named_after(room, m, &c, &after);
    if (rc == 0 && after) {
        rc = reg_messages(room->reg, c.id, first_name, &names);
        if (rc >= 0)
            rc = reg_case_rename(room->reg, c.id, c.subject, names.name != NULL ? names.name : taken_back);
    }
    free(names.name);
    reg_case_clear(&c);
    return rc;
}

int erase_message(struct room *room, const struct reg_message *m) {
    int rc = m->ticket > 0 && !m->out ? rename_case(room, m) : 0;

    if (rc == 0)
        rc = reg_message_purge(room->reg, m->id, room->now);
    if (rc == 0 && m->ticket > 0)
        rc = room_history(room, m->ticket, "sistem", "deleted", "%s was unsent by its author; our copy is gone",
                          m->key);
    return rc;
}

static int remove_file(void *arg, const char *sha256) {
    struct room *room = arg;
    int r, rc = reg_file_used(room->reg, sha256);

    if (rc != REG_NOTHING)
        return rc < 0 ? rc : reg_file_gone(room->reg, sha256);
    r = blob_remove(room->o->blobs, sha256, room->now - ERASE_AFTER_MS);
    if (r == 0)
        return reg_file_gone(room->reg, sha256);
    if (r < 0)
        room_log(room, DESK_WARN, "attachment %.12s… cannot be removed, tried again later: error %d", sha256,
                 -r);
    return reg_file_forget(room->reg, sha256, room->now);
}

int erase_files(struct room *room) {
    int rc;

    if (room->o->blobs == NULL)
        return 0;
    rc = reg_begin(room->reg);
    if (rc == 0)
        rc = reg_forgotten(room->reg, room->now - ERASE_AFTER_MS, 100, remove_file, room);
    return rc == 0 ? reg_commit(room->reg) : rc;
}
