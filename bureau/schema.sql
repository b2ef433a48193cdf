-- The bureau's tables. Run at each start: it makes what is missing and changes nothing that is there.
CREATE SCHEMA IF NOT EXISTS bureau;

-- A PIN is here as a salted hash only.
CREATE TABLE IF NOT EXISTS bureau.citizens (
    id integer PRIMARY KEY,
    name text NOT NULL,
    id_number text NOT NULL UNIQUE CHECK (id_number ~ '^99[0-9]{15}[0-9X]$'),
    area text NOT NULL,
    pin_salt bytea NOT NULL,
    pin_hash bytea NOT NULL,
    bound_number text,
    pension_fen bigint,
    pension_paid_on date,
    CHECK ((pension_fen IS NULL) = (pension_paid_on IS NULL))
);

-- before_loss is what an unblocked card goes back to; loss_reference is told to whoever reports a blocked card again.
CREATE TABLE IF NOT EXISTS bureau.cards (
    citizen integer PRIMARY KEY REFERENCES bureau.citizens,
    number text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('in_production', 'ready', 'issued', 'active', 'lost', 'cancelled')),
    ready_on date,
    office text,
    before_loss text,
    loss_reference text,
    CHECK ((state = 'lost') = (before_loss IS NOT NULL)),
    CHECK ((state = 'lost') = (loss_reference IS NOT NULL))
);

-- Contributions are one a month up to last_month, without a gap: they are reckoned, not kept.
CREATE TABLE IF NOT EXISTS bureau.accounts (
    citizen integer NOT NULL REFERENCES bureau.citizens,
    kind text NOT NULL CHECK (kind IN ('pension', 'medical', 'injury', 'unemployment', 'maternity')),
    paying boolean NOT NULL,
    months integer NOT NULL CHECK (months > 0),
    base_fen bigint NOT NULL,
    last_month date NOT NULL,
    PRIMARY KEY (citizen, kind)
);

-- Every change, once. A reference is the number of its row.
CREATE TABLE IF NOT EXISTS bureau.events (
    reference bigint GENERATED ALWAYS AS IDENTITY (START WITH 10000001) PRIMARY KEY,
    citizen integer NOT NULL REFERENCES bureau.citizens,
    what text NOT NULL CHECK (what IN ('loss_reported', 'loss_undone', 'card_activated', 'pin_reset')),
    at timestamptz NOT NULL DEFAULT now()
);

-- What a write with this key was answered, made in the transaction of the write itself.
CREATE TABLE IF NOT EXISTS bureau.answers (
    key text PRIMARY KEY,
    fingerprint bytea NOT NULL,
    refused text,
    reference text,
    at timestamptz NOT NULL DEFAULT now(),
    CHECK ((refused IS NULL) <> (reference IS NULL))
);
CREATE INDEX IF NOT EXISTS answers_at ON bureau.answers (at);

-- The words by which the hotline names whoever is verified; kept hashed, and known a while longer than they are good for.
CREATE TABLE IF NOT EXISTS bureau.words (
    hash bytea PRIMARY KEY,
    citizen integer NOT NULL REFERENCES bureau.citizens,
    until timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS words_until ON bureau.words (until);
