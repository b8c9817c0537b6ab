-- The first floor: conversations, cases, messages, history, outbox, people.
-- Times are milliseconds since 1970, UTC; 0 is unknown, '' is absent.

CREATE TABLE counter (
  code TEXT NOT NULL,
  year INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (code, year)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  is_public INTEGER NOT NULL DEFAULT 0,
  last_in_at INTEGER NOT NULL DEFAULT 0,
  last_in_id TEXT NOT NULL DEFAULT '',
  template_at INTEGER NOT NULL DEFAULT 0,
  person_id TEXT NOT NULL DEFAULT '',
  person_name TEXT NOT NULL DEFAULT '',
  person_handle TEXT NOT NULL DEFAULT '',
  person_address TEXT NOT NULL DEFAULT '',
  person_phone TEXT NOT NULL DEFAULT ''
) STRICT;

-- Every name a conversation is known by: k: key, i: platform id, p: phone, a: address.
CREATE TABLE alias (
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  conversation INTEGER NOT NULL REFERENCES conversation (id),
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL,
  year INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  account TEXT NOT NULL,
  channel TEXT NOT NULL,
  conversation INTEGER NOT NULL REFERENCES conversation (id),
  is_public INTEGER NOT NULL DEFAULT 0,
  participant TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT 'id',
  class TEXT NOT NULL DEFAULT '',
  category TEXT NOT NULL DEFAULT '',
  section TEXT NOT NULL DEFAULT '',
  confidentiality TEXT NOT NULL DEFAULT '',
  urgency TEXT NOT NULL DEFAULT '',
  complete INTEGER NOT NULL DEFAULT -1,
  missing TEXT NOT NULL DEFAULT '[]',
  name TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT '',
  phone TEXT NOT NULL DEFAULT '',
  officer TEXT NOT NULL DEFAULT '',
  received_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL DEFAULT 0,
  answered_at INTEGER NOT NULL DEFAULT 0,
  met_at INTEGER NOT NULL DEFAULT 0,
  closed_at INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL DEFAULT 0,
  follows INTEGER NOT NULL DEFAULT 0,
  merged_into INTEGER NOT NULL DEFAULT 0,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  public_conversation INTEGER NOT NULL DEFAULT 0, -- where it began, once the citizen writes privately
  withheld TEXT NOT NULL DEFAULT '{}', -- who a report's author is, never shown: what must not stand in an answer
  UNIQUE (code, year, seq)
) STRICT;
CREATE INDEX ticket_by_conversation ON ticket (conversation, id);
CREATE INDEX ticket_by_origin ON ticket (public_conversation, id) WHERE public_conversation <> 0;
CREATE INDEX ticket_by_author ON ticket (participant, id) WHERE is_public = 1;
CREATE INDEX ticket_by_state ON ticket (state, id);
CREATE INDEX ticket_by_section ON ticket (section, id) WHERE section <> '';
CREATE INDEX ticket_by_officer ON ticket (officer, id) WHERE officer <> '';
CREATE INDEX ticket_by_due ON ticket (due_at) WHERE due_at > 0 AND met_at = 0;

CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  ticket INTEGER NOT NULL DEFAULT 0,
  conversation INTEGER NOT NULL REFERENCES conversation (id),
  out INTEGER NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  platform_id TEXT NOT NULL DEFAULT '',
  mail_id TEXT NOT NULL DEFAULT '',
  person TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL DEFAULT '',
  quoted TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  reply_to TEXT NOT NULL DEFAULT '',
  refs TEXT NOT NULL DEFAULT '',
  is_public INTEGER NOT NULL DEFAULT 0,
  flags INTEGER NOT NULL DEFAULT 0,
  at INTEGER NOT NULL,
  received_at INTEGER NOT NULL DEFAULT 0,
  purged_at INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT '',
  answer_kind INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX message_by_ticket ON message (ticket, id);
CREATE INDEX message_by_platform ON message (platform_id, account) WHERE platform_id <> '';
CREATE INDEX message_by_mail ON message (mail_id) WHERE mail_id <> '';
CREATE INDEX message_by_writer ON message (person, at) WHERE mail_id = '' AND out = 0 AND substr(person, 1, 2) = 'a:';

-- Former texts of an edited message; they go when it is unsent.
CREATE TABLE version (
  message INTEGER NOT NULL REFERENCES message (id),
  at INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX version_by_message ON version (message);

CREATE TABLE raw (
  message INTEGER PRIMARY KEY REFERENCES message (id),
  bytes BLOB,
  sha256 TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX raw_by_file ON raw (sha256) WHERE sha256 <> '';

CREATE TABLE attachment (
  id INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES message (id),
  idx INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size INTEGER NOT NULL DEFAULT -1,
  sha256 TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  is_text INTEGER NOT NULL DEFAULT 0, -- its bytes are the message's text
  UNIQUE (message, idx)
) STRICT;
CREATE INDEX attachment_by_file ON attachment (sha256) WHERE sha256 <> '';

-- Files that a message let go of: removed once nothing else refers to them.
CREATE TABLE forgotten (
  sha256 TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Append only; each digest covers the row and the digest before it.
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  ticket INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  detail TEXT NOT NULL,
  digest BLOB NOT NULL
) STRICT;
CREATE INDEX history_by_ticket ON history (ticket, id);

-- The end of the chain, so that cutting it off shows as well.
CREATE TABLE chain (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  rows INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;
INSERT INTO chain (one, rows, digest) VALUES (1, 0, x'');

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  message INTEGER NOT NULL REFERENCES message (id),
  ticket INTEGER NOT NULL,
  conversation INTEGER NOT NULL,
  account TEXT NOT NULL,
  kind INTEGER NOT NULL,
  answer TEXT NOT NULL,
  state INTEGER NOT NULL,
  again INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  relayed_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_work ON outbox (state, id) WHERE state <> 6;
CREATE INDEX outbox_held ON outbox (conversation, id) WHERE state = 3;
CREATE INDEX outbox_by_message ON outbox (message);

CREATE TABLE burial (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  reason TEXT NOT NULL,
  record TEXT NOT NULL,
  raw BLOB,
  at INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0, -- 0 to be written, 1 written, 2 settled: to be taken away
  dead_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX burial_by_ref ON burial (ref);
CREATE INDEX burial_work ON burial (state, id) WHERE state <> 1;

-- Troubles of accounts and parts (watch.h): since when, and what the admin has been told.
CREATE TABLE trouble (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  what TEXT NOT NULL,
  level INTEGER NOT NULL,
  told_level INTEGER NOT NULL,
  since INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL,
  over_at INTEGER NOT NULL,
  over_told_at INTEGER NOT NULL
) STRICT;

-- When an account last brought something, and how long it is silent usually (a moving average).
CREATE TABLE traffic (
  account TEXT PRIMARY KEY,
  last_in INTEGER NOT NULL,
  usual INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that were applied without becoming a message: edits, reactions, notices.
CREATE TABLE seen (
  key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE early (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  record TEXT NOT NULL,
  raw BLOB,
  at INTEGER NOT NULL,
  UNIQUE (account, platform_id, record)
) STRICT;

CREATE TABLE tally (
  what TEXT NOT NULL,
  person TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (what, person, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  full_name TEXT NOT NULL DEFAULT '',
  section TEXT NOT NULL DEFAULT '',
  email TEXT NOT NULL DEFAULT '',
  hash TEXT NOT NULL DEFAULT '',
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE command (
  key TEXT PRIMARY KEY, -- the request's id
  at INTEGER NOT NULL,
  digest TEXT NOT NULL, -- what was asked, by whom: command_digest()
  answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX command_by_age ON command (at);
CREATE INDEX command_by_digest ON command (digest, at);
