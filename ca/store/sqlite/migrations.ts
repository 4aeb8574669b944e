/** One step of the schema. Steps are only ever added: a database is at step n when the first n have been taken. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** THE schema, step by step. Forward only. */
export const migrations: readonly Migration[] = [
  {
    name: "the first schema",
    sql: `
      CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO settings (name, value) VALUES ('generation', 1);

      CREATE TABLE audit_entries (
        number INTEGER PRIMARY KEY,
        at_millis INTEGER NOT NULL,
        kind TEXT NOT NULL,
        hash TEXT NOT NULL,
        canonical TEXT NOT NULL
      ) STRICT;

      CREATE TABLE audit_heads (
        sequence INTEGER PRIMARY KEY,
        number INTEGER NOT NULL REFERENCES audit_entries,
        hash TEXT NOT NULL,
        at_millis INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        audit_key_id TEXT NOT NULL,
        signature BLOB NOT NULL,
        UNIQUE (number, audit_key_id)
      ) STRICT;

      -- The key is the number of the entry that tells of the intent: rows lie in the order of their making.
      CREATE TABLE issuances (
        number INTEGER PRIMARY KEY REFERENCES audit_entries,
        -- 0 intended, 1 issued, 2 abandoned
        state INTEGER NOT NULL,
        serial TEXT NOT NULL UNIQUE,
        spiffe_id TEXT NOT NULL,
        spki_hash TEXT NOT NULL,
        not_before_millis INTEGER NOT NULL,
        not_after_millis INTEGER NOT NULL,
        at_millis INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        dns_names TEXT NOT NULL,
        key_kind TEXT NOT NULL,
        issuer_key_id TEXT NOT NULL,
        csr_hash TEXT NOT NULL,
        method TEXT NOT NULL,
        caller TEXT NOT NULL,
        evidence TEXT NOT NULL,
        registration TEXT,
        name_mismatch TEXT NOT NULL
      ) STRICT;
      CREATE INDEX issuances_by_state ON issuances (state);
      CREATE INDEX issuances_by_identity ON issuances (spiffe_id);
      CREATE INDEX issuances_by_end ON issuances (not_after_millis);
      -- Answers which identity a key belongs to without a look at the row. A completion changes nothing in it: its pages lie as the hashes do, each in another place.
      CREATE INDEX issuances_by_key ON issuances (spki_hash, spiffe_id);

      -- A table of its own, so that a completion changes no row's size.
      CREATE TABLE certificates (
        number INTEGER PRIMARY KEY REFERENCES issuances,
        fingerprint TEXT NOT NULL,
        der BLOB NOT NULL
      ) STRICT;

      CREATE TABLE join_tokens (
        number INTEGER PRIMARY KEY REFERENCES audit_entries,
        hash TEXT NOT NULL UNIQUE,
        spiffe_id TEXT NOT NULL,
        created_millis INTEGER NOT NULL,
        expires_millis INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        source_cidrs TEXT NOT NULL,
        used_millis INTEGER,
        used_serial TEXT,
        used_from TEXT
      ) STRICT;

      CREATE TABLE revocations (
        number INTEGER PRIMARY KEY REFERENCES audit_entries,
        target TEXT NOT NULL,
        value TEXT NOT NULL,
        at_millis INTEGER NOT NULL,
        by TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (target, value)
      ) STRICT;

      CREATE TABLE authorities (
        number INTEGER PRIMARY KEY REFERENCES audit_entries,
        key_id TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        key_kind TEXT NOT NULL,
        certificate BLOB NOT NULL,
        encrypted_key BLOB,
        created_millis INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE authority_chains (
        number INTEGER NOT NULL REFERENCES authorities,
        place INTEGER NOT NULL,
        certificate BLOB NOT NULL,
        PRIMARY KEY (number, place)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE explanations (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        explanation TEXT NOT NULL
      ) STRICT;
    `,
  },
  {
    name: "roots are replaced by steps",
    sql: `
      ALTER TABLE issuances ADD COLUMN bundle_sequence INTEGER;

      ALTER TABLE authorities ADD COLUMN slot TEXT;
      ALTER TABLE authorities ADD COLUMN state_millis INTEGER NOT NULL DEFAULT 0;
      UPDATE authorities SET state_millis = ifnull((
        SELECT e.at_millis FROM audit_entries e
        WHERE e.kind = 'authority-state' AND json_extract(e.canonical, '$.body.keyId') = authorities.key_id
        ORDER BY e.number DESC LIMIT 1
      ), created_millis);

      CREATE TABLE root_waivers (
        number INTEGER PRIMARY KEY REFERENCES audit_entries,
        root_key_id TEXT NOT NULL,
        spiffe_id TEXT NOT NULL,
        at_millis INTEGER NOT NULL,
        by TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (root_key_id, spiffe_id)
      ) STRICT;
    `,
  },
];
