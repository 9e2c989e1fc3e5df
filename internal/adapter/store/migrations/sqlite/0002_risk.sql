-- +goose Up

-- What a risk team decides with: versions of its policy, lists, and what is learned of payments after they were decided.

CREATE TABLE risk_settings (
  tenant_id     TEXT   NOT NULL PRIMARY KEY REFERENCES tenants (id),
  epoch         INTEGER NOT NULL CHECK (epoch >= 1), -- every node looks at it in each group of decisions
  list_epoch    INTEGER NOT NULL DEFAULT 1 CHECK (list_epoch >= 1), -- likewise; every change of an entry makes a new one
  live_id       TEXT   NOT NULL, -- empty: the policy that ships
  one_person    INTEGER NOT NULL CHECK (one_person IN (0, 1)),
  budget_micros INTEGER NOT NULL CHECK (budget_micros >= 0),
  fail_closed   INTEGER NOT NULL CHECK (fail_closed IN (0, 1))
) STRICT;

CREATE TABLE policies (
  tenant_id      TEXT   NOT NULL REFERENCES tenants (id),
  id             TEXT   NOT NULL CHECK (id <> ''),
  number         INTEGER NOT NULL CHECK (number >= 1),
  state          TEXT   NOT NULL CHECK (state IN ('draft', 'proposed', 'preparing', 'live', 'retired', 'withdrawn')),
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  policy_id      TEXT   NOT NULL CHECK (policy_id <> ''),
  policy_version TEXT   NOT NULL CHECK (policy_version <> ''),
  body           TEXT   NOT NULL CHECK (body <> ''),
  digest         TEXT   NOT NULL CHECK (length(digest) = 64),
  note           TEXT   NOT NULL,
  drafted_by     TEXT   NOT NULL CHECK (drafted_by <> ''),
  editors        TEXT   NOT NULL CHECK (editors <> ''), -- everybody who ever wrote in it, with a space between
  proposed_by    TEXT   NOT NULL,
  approved_by    TEXT   NOT NULL,
  created_at     INTEGER NOT NULL,
  proposed_at    INTEGER,
  effective_at   INTEGER,
  approved_at    INTEGER,
  prepared_at    INTEGER,
  live_at        INTEGER,
  retired_at     INTEGER,
  rollback_reason TEXT  NOT NULL,
  done_steps     INTEGER NOT NULL,
  total_steps    INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (state NOT IN ('preparing', 'live', 'retired') OR approved_by <> '')
) STRICT;
CREATE UNIQUE INDEX policies_number ON policies (tenant_id, number);
CREATE UNIQUE INDEX policies_live ON policies (tenant_id) WHERE state = 'live';
-- A payment names the policy it was decided by, so that name must lead to one text only.
CREATE UNIQUE INDEX policies_name ON policies (tenant_id, policy_id, policy_version) WHERE state NOT IN ('draft', 'withdrawn');
CREATE INDEX policies_state ON policies (state, tenant_id);

-- Policies that shipped with the program or were its file, so that a decision can be explained after an upgrade.
CREATE TABLE shipped_policies (
  policy_id      TEXT   NOT NULL CHECK (policy_id <> ''),
  policy_version TEXT   NOT NULL CHECK (policy_version <> ''),
  digest         TEXT   NOT NULL CHECK (length(digest) = 64),
  body           TEXT   NOT NULL CHECK (body <> ''),
  seen_at        INTEGER NOT NULL,
  PRIMARY KEY (policy_id, policy_version, digest)
) STRICT;

CREATE TABLE lists (
  tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
  id          TEXT   NOT NULL CHECK (id <> ''),
  name        TEXT   NOT NULL CHECK (name <> ''),
  kind        TEXT   NOT NULL CHECK (kind IN ('allow', 'block')),
  description TEXT   NOT NULL,
  created_by  TEXT   NOT NULL CHECK (created_by <> ''),
  created_at  INTEGER NOT NULL,
  deleted_at  INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX lists_name ON lists (tenant_id, name) WHERE deleted_at IS NULL;

CREATE TABLE list_entries (
  tenant_id  TEXT   NOT NULL,
  list_id    TEXT   NOT NULL,
  id         TEXT   NOT NULL CHECK (id <> ''),
  value      TEXT   NOT NULL CHECK (value <> ''), -- may say something about a person
  reason     TEXT   NOT NULL,
  added_by   TEXT   NOT NULL CHECK (added_by <> ''),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  removed_at INTEGER,
  removed_by TEXT   NOT NULL,
  changed    INTEGER NOT NULL DEFAULT 0, -- the list epoch of the latest change
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, list_id) REFERENCES lists (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX list_entries_value ON list_entries (tenant_id, list_id, value) WHERE removed_at IS NULL;
CREATE INDEX list_entries_changed ON list_entries (tenant_id, changed);
CREATE INDEX list_entries_created ON list_entries (tenant_id, list_id, created_at, id);

-- What was learned of payments after their decision; only ever added to.
CREATE TABLE payment_findings (
  seq         INTEGER NOT NULL PRIMARY KEY,
  shard       INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
  tenant_id   TEXT   NOT NULL CHECK (tenant_id <> ''),
  account_id  TEXT   NOT NULL CHECK (account_id <> ''),
  payment_id  TEXT   NOT NULL CHECK (payment_id <> ''),
  id          TEXT   NOT NULL CHECK (id <> ''),
  kind        TEXT   NOT NULL CHECK (kind IN ('settled', 'refunded', 'chargeback', 'fraud_confirmed', 'legitimate_confirmed',
                                              'review_approved', 'review_rejected')),
  occurred_at INTEGER NOT NULL,
  known_at    INTEGER NOT NULL,
  case_id     TEXT   NOT NULL,
  verification_id TEXT NOT NULL,
  reasons     TEXT   NOT NULL,
  reported_by TEXT   NOT NULL CHECK (reported_by <> '')
) STRICT;
CREATE INDEX payment_findings_payment ON payment_findings (shard, tenant_id, account_id, payment_id);
CREATE UNIQUE INDEX payment_findings_review ON payment_findings (shard, tenant_id, payment_id) WHERE kind IN ('review_approved', 'review_rejected');

-- Statistics, written behind: how often each rule was true. A crash loses the last seconds.
CREATE TABLE rule_hits (
  tenant_id      TEXT   NOT NULL,
  policy_id      TEXT   NOT NULL,
  policy_version TEXT   NOT NULL,
  hour           INTEGER NOT NULL, -- its first microsecond
  rule           TEXT   NOT NULL, -- its reason code; empty for all decisions of the hour
  mode           TEXT   NOT NULL,
  evaluated      INTEGER NOT NULL,
  raised         INTEGER NOT NULL,
  decided        INTEGER NOT NULL, -- raised, and a ground of the outcome
  PRIMARY KEY (tenant_id, policy_id, policy_version, hour, rule, mode)
) STRICT;

-- Where a follower of the decision log was when it wrote down what it keeps in memory, so that a start need not read everything.
CREATE TABLE follower_snapshots (
  tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
  follower   TEXT   NOT NULL CHECK (follower <> ''),
  part       INTEGER NOT NULL CHECK (part >= 0),
  payments   INTEGER NOT NULL, -- every payment up to this sequence number is folded
  findings   INTEGER NOT NULL,
  body       BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, follower, part)
) STRICT;

-- The processes that decide payments on this database, so that a policy waits for all of them; those that are gone are removed.
CREATE TABLE nodes (
  id       TEXT   NOT NULL PRIMARY KEY CHECK (id <> ''),
  beat     INTEGER NOT NULL, -- grows while it lives
  seen_at  INTEGER NOT NULL, -- wall time, by its own clock: for people
  complete TEXT   NOT NULL -- versions that are being prepared and for which it has everything, with a space between
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER payment_findings_never_changed BEFORE UPDATE ON payment_findings BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_findings_never_removed BEFORE DELETE ON payment_findings BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
-- +goose StatementEnd
