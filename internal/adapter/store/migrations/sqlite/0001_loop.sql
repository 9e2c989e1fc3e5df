-- +goose Up

-- Every instant is a count of microseconds since 1970 UTC; NULL means "not yet". Nested lists and maps are JSON text.
-- Tables on the payment path begin their key with shard, a hash of (tenant, account) modulo 64, so that they can be distributed.

CREATE TABLE tenants (
  id             TEXT   NOT NULL PRIMARY KEY CHECK (id <> ''),
  name           TEXT   NOT NULL CHECK (name <> ''),
  brand_color    TEXT   NOT NULL,
  support_email  TEXT   NOT NULL,
  time_zone      TEXT   NOT NULL,
  calendar       TEXT   NOT NULL,
  connector_url  TEXT   NOT NULL,
  connector_key  TEXT   NOT NULL,
  version        INTEGER NOT NULL CHECK (version >= 1),
  created_at     INTEGER NOT NULL,
  journal_length INTEGER NOT NULL DEFAULT 0 CHECK (journal_length >= 0)
) STRICT;

CREATE TABLE accounts (
  tenant_id           TEXT   NOT NULL REFERENCES tenants (id),
  id                  TEXT   NOT NULL CHECK (id <> ''),
  external_id         TEXT   NOT NULL,
  kind                TEXT   NOT NULL CHECK (kind IN ('individual', 'enterprise')),
  name                TEXT   NOT NULL,
  email               TEXT   NOT NULL,
  email_key           TEXT   NOT NULL, -- the e-mail address in lower case, to sign in by
  phone               TEXT   NOT NULL,
  address             TEXT   NOT NULL,
  country             TEXT   NOT NULL,
  date_of_birth       TEXT   NOT NULL,
  locale              TEXT   NOT NULL,
  time_zone           TEXT   NOT NULL,
  industry            TEXT   NOT NULL,
  business_activities TEXT   NOT NULL,
  version             INTEGER NOT NULL CHECK (version >= 1),
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX accounts_external_id ON accounts (tenant_id, external_id) WHERE external_id <> '';
CREATE INDEX accounts_created ON accounts (tenant_id, created_at, id);
CREATE INDEX accounts_email ON accounts (email_key) WHERE email_key <> '';

CREATE TABLE payment_methods (
  tenant_id   TEXT   NOT NULL,
  account_id  TEXT   NOT NULL,
  id          TEXT   NOT NULL CHECK (id <> ''),
  kind        TEXT   NOT NULL CHECK (kind IN ('card', 'bank_account', 'wallet')),
  brand       TEXT   NOT NULL,
  first6      TEXT   NOT NULL CHECK (length(first6) <= 6),
  last4       TEXT   NOT NULL CHECK (length(last4) <= 4),
  holder_name TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,
  is_default  INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, account_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX payment_methods_default ON payment_methods (tenant_id, account_id) WHERE is_default = 1;

CREATE TABLE restrictions (
  shard           INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
  tenant_id       TEXT   NOT NULL CHECK (tenant_id <> ''),
  account_id      TEXT   NOT NULL CHECK (account_id <> ''),
  id              TEXT   NOT NULL CHECK (id <> ''),
  kind            TEXT   NOT NULL CHECK (kind IN ('payments')),
  verification_id TEXT   NOT NULL CHECK (verification_id <> ''),
  version         INTEGER NOT NULL CHECK (version >= 1),
  placed_at       INTEGER NOT NULL,
  lifted_at       INTEGER,
  PRIMARY KEY (shard, tenant_id, account_id, id)
) STRICT;
CREATE UNIQUE INDEX restrictions_standing ON restrictions (shard, tenant_id, account_id, kind) WHERE lifted_at IS NULL;

-- The names of the policies that decided something, so that a payment keeps a short number.
CREATE TABLE payment_policies (
  policy         INTEGER NOT NULL PRIMARY KEY,
  policy_id      TEXT NOT NULL,
  policy_version TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX payment_policies_name ON payment_policies (policy_id, policy_version);

-- The decision log: payments are only ever added. An approved one has no journal entry, its row is the record. What is not known is
-- empty or 0 rather than NULL, which takes less room.
CREATE TABLE payments (
  seq               INTEGER NOT NULL PRIMARY KEY, -- the order of the log; a payment of an account has a higher one than those decided before it
  prev              INTEGER NOT NULL CHECK (prev >= 0 AND prev < seq), -- seq of the account's payment before, 0 for its first; profiles.head is its last
  created_at        INTEGER NOT NULL,
  occurred_at       INTEGER NOT NULL,
  amount_minor      INTEGER NOT NULL CHECK (amount_minor >= 0), -- 0 is a card check, of a past payment only
  key_until         INTEGER NOT NULL, -- wall time until which key_hash is remembered; 0 for ever, or without a key
  policy            INTEGER NOT NULL, -- payment_policies; 0 when no policy of ours decided
  shard             INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
  tenant_id         TEXT NOT NULL CHECK (tenant_id <> ''),
  account_id        TEXT NOT NULL CHECK (account_id <> ''),
  id                TEXT NOT NULL CHECK (id <> ''),
  source            TEXT NOT NULL CHECK (source IN ('api', 'batch', 'history')),
  outcome           TEXT NOT NULL CHECK (outcome IN ('approved', 'review', 'rejected')),
  payment_method_id TEXT NOT NULL,
  method_kind       TEXT NOT NULL, -- of a past payment without a payment method of ours
  fingerprint       TEXT NOT NULL, -- likewise
  currency          TEXT NOT NULL CHECK (currency <> ''),
  ip                TEXT NOT NULL, -- personal
  country           TEXT NOT NULL,
  region            TEXT NOT NULL,
  city              TEXT NOT NULL, -- personal
  device_id         TEXT NOT NULL, -- personal
  merchant          TEXT NOT NULL,
  reasons           TEXT NOT NULL,
  verification_id   TEXT NOT NULL,
  grant_id          TEXT NOT NULL,
  facts             BLOB NOT NULL,
  key_hash          BLOB NOT NULL, -- of the idempotency key and its route, or of the tenant's own id of a past payment
  body_hash         BLOB NOT NULL,
  -- What was rejected because the time for the decision was over restricts nobody.
  CHECK (source = 'history' OR (amount_minor > 0 AND (outcome <> 'rejected' OR verification_id <> '' OR reasons LIKE '%"budget"%')))
) STRICT;
CREATE INDEX payments_id ON payments (id);
CREATE INDEX payments_key ON payments (key_hash) WHERE length(key_hash) > 0;

-- A profile is a fold of the account's part of the log up to seq; what the log has after it is folded when the profile is read.
-- head is the account's last payment in the log; on SQLite it is written behind (settings, payments.heads_written).
CREATE TABLE profiles (
  shard      INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
  tenant_id  TEXT NOT NULL CHECK (tenant_id <> ''),
  account_id TEXT NOT NULL CHECK (account_id <> ''),
  seq        INTEGER NOT NULL CHECK (seq >= 0),
  head       INTEGER NOT NULL CHECK (head >= 0),
  body       BLOB NOT NULL,
  PRIMARY KEY (shard, tenant_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retry_grants (
  shard             INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
  tenant_id         TEXT   NOT NULL CHECK (tenant_id <> ''),
  account_id        TEXT   NOT NULL CHECK (account_id <> ''),
  id                TEXT   NOT NULL CHECK (id <> ''),
  verification_id   TEXT   NOT NULL,
  payment_id        TEXT   NOT NULL,
  payment_method_id TEXT   NOT NULL,
  amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0),
  currency          TEXT   NOT NULL CHECK (currency <> ''),
  created_at        INTEGER NOT NULL,
  expires_at        INTEGER NOT NULL,
  used_by           TEXT   NOT NULL,
  PRIMARY KEY (shard, tenant_id, account_id, id)
) STRICT;

CREATE TABLE verifications (
  tenant_id         TEXT   NOT NULL,
  id                TEXT   NOT NULL CHECK (id <> ''),
  account_id        TEXT   NOT NULL,
  type              TEXT   NOT NULL CHECK (type IN ('payment_security')),
  status            TEXT   NOT NULL CHECK (status IN ('awaiting_submission', 'processing', 'in_review', 'approved',
                                                      'resubmission_requested', 'declined', 'expired', 'canceled')),
  version           INTEGER NOT NULL CHECK (version >= 1),
  payment_method_id TEXT   NOT NULL,
  payment_id        TEXT   NOT NULL,
  opening_reason    TEXT   NOT NULL,
  requirements      TEXT   NOT NULL,
  round             INTEGER NOT NULL CHECK (round >= 1),
  notice_code       TEXT   NOT NULL,
  query_code        TEXT   NOT NULL,
  case_id           TEXT   NOT NULL,
  received_at       INTEGER,
  due_at            INTEGER,
  due_because       TEXT   NOT NULL,
  policy_version    TEXT   NOT NULL,
  calendar_version  TEXT   NOT NULL,
  time_zone         TEXT   NOT NULL,
  opened_at         INTEGER NOT NULL,
  submitted_at      INTEGER,
  decided_at        INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX verifications_open ON verifications (tenant_id, account_id)
  WHERE status IN ('awaiting_submission', 'processing', 'in_review', 'resubmission_requested');
CREATE UNIQUE INDEX verifications_query_code ON verifications (tenant_id, query_code) WHERE query_code <> '';
CREATE INDEX verifications_opened ON verifications (tenant_id, opened_at, id);
CREATE INDEX verifications_account ON verifications (tenant_id, account_id, opened_at, id);
CREATE INDEX verifications_status ON verifications (tenant_id, status, opened_at, id);

CREATE TABLE evidence (
  tenant_id       TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  verification_id TEXT   NOT NULL,
  account_id      TEXT   NOT NULL,
  requirement     TEXT   NOT NULL CHECK (requirement <> ''),
  document_type   TEXT   NOT NULL,
  side            TEXT   NOT NULL CHECK (side IN ('', 'front', 'back')),
  round           INTEGER NOT NULL CHECK (round >= 1),
  attachment_id   TEXT   NOT NULL CHECK (attachment_id <> ''),
  media_type      TEXT   NOT NULL CHECK (media_type <> ''),
  size            INTEGER NOT NULL,
  width           INTEGER NOT NULL,
  height          INTEGER NOT NULL,
  pages           INTEGER NOT NULL,
  findings        TEXT   NOT NULL,
  sent_by         TEXT   NOT NULL CHECK (sent_by <> ''),
  created_at      INTEGER NOT NULL,
  withdrawn_at    INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, verification_id) REFERENCES verifications (tenant_id, id)
) STRICT;
CREATE INDEX evidence_verification ON evidence (tenant_id, verification_id, created_at, id);

CREATE TABLE data_keys (
  tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
  subject_id TEXT   NOT NULL CHECK (subject_id <> ''),
  wrapped    BLOB  NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, subject_id)
) STRICT;

CREATE TABLE cases (
  tenant_id       TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  kind            TEXT   NOT NULL CHECK (kind IN ('verification', 'payment_review')),
  account_id      TEXT   NOT NULL,
  verification_id TEXT, -- NULL for the review of a payment
  payment_id      TEXT   NOT NULL, -- empty for the review of a submission
  round           INTEGER NOT NULL CHECK (round >= 1),
  status          TEXT   NOT NULL CHECK (status IN ('open', 'decided', 'withdrawn')),
  version         INTEGER NOT NULL CHECK (version >= 1),
  opened_at       INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,
  overdue_at      INTEGER,
  decided_at      INTEGER,
  decision        TEXT   NOT NULL CHECK (decision IN ('', 'approve', 'request_resubmission', 'decline', 'reject')),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, verification_id) REFERENCES verifications (tenant_id, id),
  CHECK ((status = 'decided') = (decision <> '')),
  CHECK ((kind = 'verification') = (verification_id IS NOT NULL) AND (kind = 'payment_review') = (payment_id <> ''))
) STRICT;
CREATE UNIQUE INDEX cases_open ON cases (tenant_id, verification_id) WHERE status = 'open';
CREATE UNIQUE INDEX cases_payment ON cases (tenant_id, payment_id) WHERE payment_id <> '';
CREATE INDEX cases_due ON cases (tenant_id, status, due_at, id);
CREATE INDEX cases_opened ON cases (tenant_id, opened_at, id);
CREATE INDEX cases_verification ON cases (tenant_id, verification_id, opened_at, id);
CREATE INDEX cases_account ON cases (tenant_id, account_id, opened_at, id);

CREATE TABLE reviews (
  tenant_id  TEXT   NOT NULL,
  id         TEXT   NOT NULL CHECK (id <> ''),
  case_id    TEXT   NOT NULL,
  decision   TEXT   NOT NULL CHECK (decision IN ('approve', 'request_resubmission', 'decline', 'reject')),
  reasons    TEXT   NOT NULL,
  note       TEXT   NOT NULL,
  actor_kind TEXT   NOT NULL CHECK (actor_kind <> ''),
  actor_id   TEXT   NOT NULL CHECK (actor_id <> ''),
  decided_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, case_id) REFERENCES cases (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX reviews_case ON reviews (tenant_id, case_id);

CREATE TABLE tickets (
  tenant_id       TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  account_id      TEXT   NOT NULL,
  verification_id TEXT   NOT NULL,
  error_code      TEXT   NOT NULL,
  query_code      TEXT   NOT NULL,
  steps_taken     TEXT   NOT NULL,
  message         TEXT   NOT NULL,
  answer          TEXT   NOT NULL,
  status          TEXT   NOT NULL CHECK (status IN ('open', 'closed')),
  version         INTEGER NOT NULL CHECK (version >= 1),
  created_at      INTEGER NOT NULL,
  closed_at       INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;
CREATE INDEX tickets_created ON tickets (tenant_id, created_at, id);
CREATE INDEX tickets_account ON tickets (tenant_id, account_id, created_at, id);

CREATE TABLE notices (
  tenant_id       TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  account_id      TEXT   NOT NULL,
  verification_id TEXT   NOT NULL,
  round           INTEGER NOT NULL,
  kind            TEXT   NOT NULL CHECK (kind <> ''),
  message_id      TEXT   NOT NULL CHECK (message_id <> ''),
  version         INTEGER NOT NULL CHECK (version >= 1),
  created_at      INTEGER NOT NULL,
  accepted_at     INTEGER,
  bounced_at      INTEGER,
  received_at     INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;
CREATE INDEX notices_verification ON notices (tenant_id, verification_id, created_at, id);
CREATE INDEX notices_undelivered ON notices (tenant_id, created_at, id) WHERE received_at IS NULL;

CREATE TABLE messages (
  tenant_id       TEXT   NOT NULL,
  account_id      TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  verification_id TEXT   NOT NULL,
  notice_id       TEXT   NOT NULL,
  subject         TEXT   NOT NULL CHECK (subject <> ''),
  body            TEXT   NOT NULL,
  created_at      INTEGER NOT NULL,
  read_at         INTEGER,
  PRIMARY KEY (tenant_id, account_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id),
  FOREIGN KEY (tenant_id, notice_id) REFERENCES notices (tenant_id, id)
) STRICT;
CREATE INDEX messages_created ON messages (tenant_id, account_id, created_at, id);

CREATE TABLE enforcements (
  tenant_id       TEXT   NOT NULL,
  account_id      TEXT   NOT NULL,
  state           TEXT   NOT NULL CHECK (state IN ('none', 'grace', 'suspended', 'release_scheduled', 'released')),
  version         INTEGER NOT NULL CHECK (version >= 1),
  verification_id TEXT   NOT NULL,
  due_at          INTEGER,
  suspended_at    INTEGER,
  acknowledged_at INTEGER,
  sequence        INTEGER NOT NULL CHECK (sequence >= 0),
  PRIMARY KEY (tenant_id, account_id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;

CREATE TABLE commands (
  tenant_id       TEXT   NOT NULL,
  id              TEXT   NOT NULL CHECK (id <> ''),
  account_id      TEXT   NOT NULL,
  verification_id TEXT   NOT NULL,
  kind            TEXT   NOT NULL CHECK (kind IN ('suspend', 'resume')),
  sequence        INTEGER NOT NULL CHECK (sequence >= 1),
  state           TEXT   NOT NULL CHECK (state IN ('pending', 'acknowledged', 'superseded')),
  created_at      INTEGER NOT NULL,
  settled_at      INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX commands_sequence ON commands (tenant_id, account_id, sequence);

CREATE TABLE journal (
  tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
  sequence   INTEGER NOT NULL CHECK (sequence >= 1),
  id         TEXT   NOT NULL CHECK (id <> ''),
  at         INTEGER NOT NULL,
  actor_kind TEXT   NOT NULL CHECK (actor_kind IN ('key', 'staff', 'holder', 'system')),
  actor_id   TEXT   NOT NULL CHECK (actor_id <> ''),
  actor_role TEXT   NOT NULL,
  type       TEXT   NOT NULL CHECK (type <> ''),
  object_id  TEXT   NOT NULL,
  account_id TEXT   NOT NULL,
  data       TEXT   NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
) STRICT;
CREATE INDEX journal_account ON journal (tenant_id, account_id, sequence);
CREATE INDEX journal_object ON journal (tenant_id, object_id, sequence);

CREATE TABLE jobs (
  id             TEXT   NOT NULL PRIMARY KEY CHECK (id <> ''),
  tenant_id      TEXT   NOT NULL, -- empty for the installation's own work
  kind           TEXT   NOT NULL CHECK (kind <> ''),
  key            TEXT   NOT NULL,
  due_at         INTEGER NOT NULL, -- business time
  payload        TEXT   NOT NULL,
  state          TEXT   NOT NULL CHECK (state IN ('pending', 'dead')),
  attempts       INTEGER NOT NULL CHECK (attempts >= 0),
  error_category TEXT   NOT NULL,
  lease          TEXT   NOT NULL, -- who works on it
  leased_until   INTEGER NOT NULL, -- wall time; a later claim may take it
  created_at     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_key ON jobs (tenant_id, key) WHERE key <> '' AND state = 'pending';
CREATE INDEX jobs_due ON jobs (state, due_at, id);

CREATE TABLE webhook_endpoints (
  tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
  id          TEXT   NOT NULL CHECK (id <> ''),
  url         TEXT   NOT NULL CHECK (url <> ''),
  event_types TEXT   NOT NULL,
  secret      TEXT   NOT NULL,
  created_at  INTEGER NOT NULL,
  disabled_at INTEGER,
  deleted_at  INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE api_keys (
  tenant_id    TEXT   NOT NULL REFERENCES tenants (id),
  id           TEXT   NOT NULL CHECK (id <> ''),
  name         TEXT   NOT NULL,
  hint         TEXT   NOT NULL,
  hash         BLOB  NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at   INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE members (
  tenant_id       TEXT   NOT NULL REFERENCES tenants (id),
  id              TEXT   NOT NULL CHECK (id <> ''),
  name            TEXT   NOT NULL,
  email           TEXT   NOT NULL CHECK (email <> ''),
  email_key       TEXT   NOT NULL CHECK (email_key <> ''), -- the e-mail address in lower case
  role            TEXT   NOT NULL CHECK (role IN ('reviewer', 'analyst', 'administrator')),
  passphrase_hash TEXT   NOT NULL,
  failures        INTEGER NOT NULL CHECK (failures >= 0),
  locked_until    INTEGER,
  version         INTEGER NOT NULL CHECK (version >= 1),
  created_at      INTEGER NOT NULL,
  disabled_at     INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX members_email ON members (email_key);

CREATE TABLE links (
  tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
  id         TEXT   NOT NULL CHECK (id <> ''),
  purpose    TEXT   NOT NULL CHECK (purpose IN ('first_start', 'staff_invite', 'portal_session')),
  hash       BLOB  NOT NULL,
  account_id TEXT   NOT NULL,
  role       TEXT   NOT NULL CHECK (role IN ('', 'reviewer', 'analyst', 'administrator')),
  email      TEXT   NOT NULL,
  created_by TEXT   NOT NULL,
  created_at INTEGER NOT NULL, -- wall time, as all of the sign-in tables
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX links_hash ON links (hash);

CREATE TABLE sessions (
  tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
  id          TEXT   NOT NULL CHECK (id <> ''),
  kind        TEXT   NOT NULL CHECK (kind IN ('console', 'holder')),
  subject_id  TEXT   NOT NULL CHECK (subject_id <> ''),
  hash        BLOB  NOT NULL,
  created_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  revoked_at  INTEGER,
  return_path TEXT   NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_id ON sessions (id);

CREATE TABLE challenges (
  tenant_id    TEXT   NOT NULL REFERENCES tenants (id),
  id           TEXT   NOT NULL CHECK (id <> ''),
  account_id   TEXT   NOT NULL CHECK (account_id <> ''),
  asked_by     TEXT   NOT NULL CHECK (asked_by IN ('email', 'verification')),
  browser_hash BLOB  NOT NULL,
  code_hash    BLOB, -- NULL until the code was made
  attempts     INTEGER NOT NULL CHECK (attempts >= 0),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX challenges_browser ON challenges (browser_hash);
CREATE INDEX challenges_account ON challenges (tenant_id, account_id, asked_by, created_at);

CREATE TABLE idempotency (
  tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
  route      TEXT   NOT NULL CHECK (route <> ''),
  key        TEXT   NOT NULL CHECK (key <> ''),
  body_hash  BLOB  NOT NULL,
  status     INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),
  response   BLOB,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, route, key)
) STRICT;
CREATE INDEX idempotency_expires ON idempotency (expires_at);

CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
  value TEXT NOT NULL
) STRICT;

-- The journal is append-only: not even a mistake of ours may change or remove an entry.
-- +goose StatementBegin
CREATE TRIGGER journal_never_changed BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER journal_never_removed BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- +goose StatementEnd
