-- The shared record of Release Console: tables that its roles may only read, and functions that alone may write.
-- Run as one transaction by `release-console journal init`; again is harmless.
--
-- Fencing is done here. Whoever takes a run up claims a new epoch; `runs` names the epoch, the session that holds its
-- lease (`backend`) and the key of the advisory lock by which everybody sees whether that session lives (`lease`). No
-- function accepts anything of another epoch or another session.
--
-- SQLSTATEs: RC001 another epoch, RC002 another line has the number, RC003 a gap, RC004 no such run, RC005 another
-- session holds the lease, RC006 another plan, RC007 too many signatures.

CREATE SCHEMA IF NOT EXISTS release_console;

CREATE TABLE IF NOT EXISTS release_console.version (
    version integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- `channel` is what is notified. It is random: who may not read this table cannot listen to a run either.
CREATE TABLE IF NOT EXISTS release_console.runs (
    run text PRIMARY KEY CHECK (run <> '' AND octet_length(run) <= 200),
    plan text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch bigint NOT NULL DEFAULT 0,
    backend integer,
    lease bigint,
    channel text NOT NULL UNIQUE DEFAULT 'rc_' || replace(gen_random_uuid()::text, '-', '')
);

-- `login` is whom the database took the driver for; the rest is what the driver's console says of itself.
CREATE TABLE IF NOT EXISTS release_console.epochs (
    run text NOT NULL REFERENCES release_console.runs,
    epoch bigint NOT NULL,
    login name NOT NULL DEFAULT session_user,
    actor text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    since timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, epoch)
);

CREATE TABLE IF NOT EXISTS release_console.events (
    run text NOT NULL REFERENCES release_console.runs,
    seq bigint NOT NULL,
    epoch bigint NOT NULL,
    line text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, seq)
);

-- Batches of log lines. `place` counts all lines up to the end of a batch, `volume` their bytes: what is older than the
-- bounds is found by either.
CREATE TABLE IF NOT EXISTS release_console.tail (
    run text NOT NULL REFERENCES release_console.runs,
    place bigint NOT NULL,
    volume bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (run, place)
);
CREATE INDEX IF NOT EXISTS tail_volume ON release_console.tail (run, volume);

CREATE TABLE IF NOT EXISTS release_console.branches (
    run text NOT NULL REFERENCES release_console.runs,
    epoch bigint NOT NULL,
    first bigint NOT NULL,
    actor text NOT NULL,
    lines text[] NOT NULL,
    login name NOT NULL DEFAULT session_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, epoch, first)
);

-- Who signed is the database's to say: a signer may not write `id`, `login` and `at`.
CREATE TABLE IF NOT EXISTS release_console.inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run text NOT NULL REFERENCES release_console.runs,
    login name NOT NULL DEFAULT session_user,
    role text NOT NULL CHECK (length(role) <= 200),
    name text NOT NULL CHECK (length(name) <= 200),
    approve boolean NOT NULL,
    note text NOT NULL CHECK (length(note) <= 4000),
    plan text NOT NULL CHECK (length(plan) <= 200),
    commit text NOT NULL CHECK (length(commit) <= 200),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS inbox_run ON release_console.inbox (run);

CREATE TABLE IF NOT EXISTS release_console.answers (
    signature bigint PRIMARY KEY REFERENCES release_console.inbox,
    accepted boolean NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE release_console.inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE release_console.answers ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS driver_reads ON release_console.inbox;
CREATE POLICY driver_reads ON release_console.inbox FOR SELECT TO release_console_driver USING (true);
DROP POLICY IF EXISTS signer_reads ON release_console.inbox;
CREATE POLICY signer_reads ON release_console.inbox FOR SELECT TO release_console_signer USING (login = session_user);
DROP POLICY IF EXISTS signer_signs ON release_console.inbox;
CREATE POLICY signer_signs ON release_console.inbox FOR INSERT TO release_console_signer
    WITH CHECK (login = session_user);
DROP POLICY IF EXISTS driver_reads ON release_console.answers;
CREATE POLICY driver_reads ON release_console.answers FOR SELECT TO release_console_driver USING (true);
DROP POLICY IF EXISTS signer_reads ON release_console.answers;
CREATE POLICY signer_reads ON release_console.answers FOR SELECT TO release_console_signer
    USING (EXISTS (SELECT FROM release_console.inbox i WHERE i.id = signature AND i.login = session_user));

-- Whether another session holds an epoch now, said with who drives: `detail` is "<epoch> <actor>".
CREATE OR REPLACE FUNCTION release_console.refuse_epoch(p_run text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_epoch bigint;
    v_actor text;
BEGIN
    SELECT r.epoch, e.actor INTO v_epoch, v_actor
    FROM release_console.runs r LEFT JOIN release_console.epochs e ON e.run = r.run AND e.epoch = r.epoch
    WHERE r.run = p_run;
    RAISE EXCEPTION USING ERRCODE = 'RC001', MESSAGE = 'the epoch is not the record''s any more',
        DETAIL = v_epoch || ' ' || coalesce(v_actor, '');
END $$;

-- The run's channel, for the session that holds the lease of this epoch; the row stays as it is until the transaction
-- ends, so that no claim comes between. Raises RC001, RC004, RC005.
CREATE OR REPLACE FUNCTION release_console.as_holder(p_run text, p_epoch bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_epoch bigint;
    v_backend integer;
    v_channel text;
BEGIN
    SELECT r.epoch, r.backend, r.channel INTO v_epoch, v_backend, v_channel
    FROM release_console.runs r WHERE r.run = p_run FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RC004', MESSAGE = 'the run is not in the shared record';
    ELSIF v_epoch <> p_epoch THEN
        PERFORM release_console.refuse_epoch(p_run);
    ELSIF v_backend IS DISTINCT FROM pg_backend_pid() THEN
        RAISE EXCEPTION USING ERRCODE = 'RC005', MESSAGE = 'another session of this driver holds the lease';
    END IF;
    RETURN v_channel;
END $$;

-- End a session, by its process and the lock that it alone can hold: a process id may by now be somebody else's.
-- Whether it was ended; where the owner of this schema may not end sessions of the driver's login, the epoch fences
-- it all the same.
CREATE OR REPLACE FUNCTION release_console.end_session(p_backend integer, p_lease bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((
        SELECT pg_terminate_backend(k.pid)
        FROM pg_locks k JOIN pg_database d ON d.oid = k.database
        WHERE d.datname = current_database() AND k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
          AND k.pid = p_backend AND ((k.classid::bigint << 32) | k.objid::bigint) = p_lease
    ), false);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;

-- Let this session hold the lease of an epoch; the key of its lock, which is taken before anybody can read it.
-- Whoever held it is ended. Nothing here waits for the keys that a signature holds until its transaction is over.
CREATE OR REPLACE FUNCTION release_console.take_lease(p_run text, p_epoch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_backend integer;
    v_lease bigint;
    v_channel text;
    v_new bigint := hashtextextended(gen_random_uuid()::text, 0);
BEGIN
    SELECT r.backend, r.lease, r.channel INTO v_backend, v_lease, v_channel
    FROM release_console.runs r WHERE r.run = p_run FOR NO KEY UPDATE;
    PERFORM pg_advisory_lock(v_new);
    UPDATE release_console.runs r SET epoch = p_epoch, backend = pg_backend_pid(), lease = v_new WHERE r.run = p_run;
    IF v_backend <> pg_backend_pid() THEN
        PERFORM release_console.end_session(v_backend, v_lease);
    END IF;
    PERFORM pg_notify(v_channel, 'd'), pg_notify(v_channel || '_d', 'd');
    RETURN v_new;
END $$;

CREATE OR REPLACE FUNCTION release_console.create_run(p_run text, p_plan text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO release_console.runs (run, plan) VALUES (p_run, p_plan) ON CONFLICT (run) DO NOTHING;
    IF NOT EXISTS (SELECT FROM release_console.runs r WHERE r.run = p_run AND r.plan = p_plan) THEN
        RAISE EXCEPTION USING ERRCODE = 'RC006', MESSAGE = 'the shared record has the run with another plan';
    END IF;
END $$;

-- Begin the epoch behind the expected one, or find that the same driver has begun it already (an answer was lost).
-- The epoch, and the key of the lock that this session holds from now on.
CREATE OR REPLACE FUNCTION release_console.claim(
    p_run text, p_expected bigint, p_actor text, p_host text, p_pid integer, p_since timestamptz,
    OUT epoch bigint, OUT lease bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT r.epoch INTO epoch FROM release_console.runs r WHERE r.run = p_run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RC004', MESSAGE = 'the run is not in the shared record';
    ELSIF epoch = p_expected THEN
        epoch := p_expected + 1;
        INSERT INTO release_console.epochs (run, epoch, actor, host, pid, since)
        VALUES (p_run, epoch, p_actor, p_host, p_pid, p_since);
    ELSIF epoch <> p_expected + 1 OR NOT EXISTS (
        SELECT FROM release_console.epochs e
        WHERE e.run = p_run AND e.epoch = p_expected + 1 AND e.login = session_user
          AND (e.actor, e.host, e.pid, e.since) = (p_actor, p_host, p_pid, p_since)
    ) THEN
        PERFORM release_console.refuse_epoch(p_run);
    END IF;
    lease := release_console.take_lease(p_run, epoch);
END $$;

-- Confirm an epoch, and let this session hold its lease; the key of the lock that it holds.
CREATE OR REPLACE FUNCTION release_console.hold(p_run text, p_epoch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_epoch bigint;
    v_backend integer;
    v_lease bigint;
BEGIN
    SELECT r.epoch, r.backend, r.lease INTO v_epoch, v_backend, v_lease
    FROM release_console.runs r WHERE r.run = p_run;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RC004', MESSAGE = 'the run is not in the shared record';
    ELSIF v_epoch = p_epoch AND v_backend = pg_backend_pid() THEN
        RETURN v_lease;
    END IF;
    SELECT r.epoch INTO v_epoch FROM release_console.runs r WHERE r.run = p_run FOR NO KEY UPDATE;
    IF v_epoch <> p_epoch OR NOT EXISTS (
        SELECT FROM release_console.epochs e WHERE e.run = p_run AND e.epoch = p_epoch AND e.login = session_user
    ) THEN
        PERFORM release_console.refuse_epoch(p_run);
    END IF;
    RETURN release_console.take_lease(p_run, p_epoch);
END $$;

-- Add lines, all or none; those that are there already must be the same. Each is pushed to the observers with its
-- notification where it fits in (a payload holds less than 8,000 bytes) and they are few.
CREATE OR REPLACE FUNCTION release_console.append(p_run text, p_epoch bigint, p_first bigint, p_lines text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_channel text := release_console.as_holder(p_run, p_epoch);
    v_last bigint;
    v_end bigint := p_first + cardinality(p_lines) - 1;
BEGIN
    SELECT coalesce(max(e.seq), 0) INTO v_last FROM release_console.events e WHERE e.run = p_run;
    IF p_first < 1 OR p_first > v_last + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'RC003',
            MESSAGE = 'line ' || p_first || ' would leave a gap behind line ' || v_last;
    END IF;
    IF p_first <= v_last AND EXISTS (
        SELECT FROM unnest(p_lines) WITH ORDINALITY AS given (line, n)
        JOIN release_console.events e ON e.run = p_run AND e.seq = p_first + given.n - 1
        WHERE e.line <> given.line
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'RC002', MESSAGE = 'the shared record has another line of that number';
    END IF;
    INSERT INTO release_console.events (run, seq, epoch, line)
    SELECT p_run, p_first + given.n - 1, p_epoch, given.line
    FROM unnest(p_lines) WITH ORDINALITY AS given (line, n) WHERE p_first + given.n - 1 > v_last;
    IF v_end - v_last BETWEEN 1 AND 32 THEN
        PERFORM pg_notify(v_channel, CASE
            WHEN octet_length(e.line) < 7900 THEN 'l' || e.seq || ' ' || e.line ELSE 'm' || e.seq END)
        FROM release_console.events e WHERE e.run = p_run AND e.seq > v_last ORDER BY e.seq;
    ELSIF v_end > v_last THEN
        PERFORM pg_notify(v_channel, 'm' || v_end);
    END IF;
END $$;

-- Add log lines; nothing is done for an epoch or a session that has ended. The last 20,000 lines and 16 MiB are kept.
CREATE OR REPLACE FUNCTION release_console.add_tail(p_run text, p_epoch bigint, p_count integer, p_body text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_channel text;
    v_place bigint;
    v_volume bigint;
BEGIN
    SELECT r.channel INTO v_channel FROM release_console.runs r
    WHERE r.run = p_run AND r.epoch = p_epoch AND r.backend = pg_backend_pid() FOR SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT t.place, t.volume INTO v_place, v_volume
    FROM release_console.tail t WHERE t.run = p_run ORDER BY t.place DESC LIMIT 1;
    v_place := coalesce(v_place, 0) + p_count;
    v_volume := coalesce(v_volume, 0) + octet_length(p_body);
    INSERT INTO release_console.tail (run, place, volume, body) VALUES (p_run, v_place, v_volume, p_body);
    DELETE FROM release_console.tail t WHERE t.run = p_run AND t.place <= v_place - 20000;
    DELETE FROM release_console.tail t WHERE t.run = p_run AND t.volume <= v_volume - 16777216;
    PERFORM pg_notify(v_channel, 't');
END $$;

-- Keep lines that were recorded apart; more of them may follow later, other ones may not.
CREATE OR REPLACE FUNCTION release_console.attach(
    p_run text, p_epoch bigint, p_first bigint, p_actor text, p_lines text[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_channel text;
    v_kept text[];
BEGIN
    SELECT r.channel INTO v_channel FROM release_console.runs r WHERE r.run = p_run FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RC004', MESSAGE = 'the run is not in the shared record';
    END IF;
    INSERT INTO release_console.branches AS b (run, epoch, first, actor, lines)
    VALUES (p_run, p_epoch, p_first, p_actor, p_lines)
    ON CONFLICT (run, epoch, first) DO UPDATE SET lines = excluded.lines
    WHERE b.lines = excluded.lines[:cardinality(b.lines)];
    SELECT b.lines INTO v_kept FROM release_console.branches b
    WHERE b.run = p_run AND b.epoch = p_epoch AND b.first = p_first;
    IF v_kept[:cardinality(p_lines)] <> p_lines THEN
        RAISE EXCEPTION USING ERRCODE = 'RC002', MESSAGE = 'another branch is kept of that epoch and number';
    END IF;
    PERFORM pg_notify(v_channel || '_d', 'b');
END $$;

-- Say what became of a signature; for the session that holds the lease of its run. The first answer stands.
CREATE OR REPLACE FUNCTION release_console.answer(p_signature bigint, p_accepted boolean, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM release_console.runs r JOIN release_console.inbox i ON i.run = r.run
    WHERE i.id = p_signature AND r.backend = pg_backend_pid() FOR SHARE OF r;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RC005', MESSAGE = 'another session holds the lease of the signature''s run';
    END IF;
    INSERT INTO release_console.answers (signature, accepted, reason) VALUES (p_signature, p_accepted, p_reason)
    ON CONFLICT (signature) DO NOTHING;
END $$;

-- Tell the driver of a signature; whoever floods the inbox is stopped, and so is whoever floods the record: a signature
-- that is not accepted is noted there.
CREATE OR REPLACE FUNCTION release_console.signature_came() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM release_console.inbox i
        WHERE i.run = new.run AND i.login = new.login
          AND NOT EXISTS (SELECT FROM release_console.answers a WHERE a.signature = i.id)) > 20 THEN
        RAISE EXCEPTION USING ERRCODE = 'RC007', MESSAGE = 'twenty signatures of this login wait for an answer';
    END IF;
    IF (SELECT count(*) FROM release_console.inbox i WHERE i.run = new.run AND i.login = new.login) > 200 THEN
        RAISE EXCEPTION USING ERRCODE = 'RC007', MESSAGE = 'two hundred signatures of this login lie in the run';
    END IF;
    PERFORM pg_notify(r.channel || '_d', 'i') FROM release_console.runs r WHERE r.run = new.run;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER signature_came AFTER INSERT ON release_console.inbox
    FOR EACH ROW EXECUTE FUNCTION release_console.signature_came();

-- Rights, stated anew each time: nobody may do more than this.
REVOKE ALL ON SCHEMA release_console FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA release_console
    FROM PUBLIC, release_console_driver, release_console_observer, release_console_signer;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA release_console
    FROM PUBLIC, release_console_driver, release_console_observer, release_console_signer;

GRANT USAGE ON SCHEMA release_console TO release_console_driver, release_console_observer, release_console_signer;
GRANT SELECT ON release_console.version, release_console.runs, release_console.epochs, release_console.events,
    release_console.tail, release_console.branches
    TO release_console_driver, release_console_observer, release_console_signer;
GRANT SELECT ON release_console.inbox, release_console.answers TO release_console_driver, release_console_signer;
GRANT INSERT (run, role, name, approve, note, plan, commit) ON release_console.inbox TO release_console_signer;
GRANT EXECUTE ON FUNCTION
    release_console.create_run(text, text),
    release_console.claim(text, bigint, text, text, integer, timestamptz),
    release_console.hold(text, bigint),
    release_console.append(text, bigint, bigint, text[]),
    release_console.add_tail(text, bigint, integer, text),
    release_console.attach(text, bigint, bigint, text, text[]),
    release_console.answer(bigint, boolean, text)
    TO release_console_driver;
