-- The vintages' questions in SQL, over one table `vintages`: every stored version of every value.
--
-- Columns: those of `observations` in data/release.toml; `row`, its place; `cell`, equal for versions of one source,
-- series and period, and rising in that order; `stored_at`, for of two versions published on one day the later stored
-- one holds; and `version`, what the row was when it was stored: the `first` of its cell, a `revision`, or `backdated`
-- (its cell had a version with a later day). A version without `obs_value` is a withdrawal.

-- name: history
-- Every version.
SELECT cell, row FROM vintages ORDER BY cell, as_of, stored_at

-- name: differences
-- End of the two queries below: rows of `states` that differ.
,
kinds AS (
    SELECT *, CASE WHEN after <> before THEN 'changed' WHEN before IS NOT NULL AND after IS NULL THEN 'deleted'
        WHEN is_addition AND after IS NOT NULL THEN 'added' END AS kind FROM states)
SELECT row, kind, before, after, coalesce(after, 0) - coalesce(before, 0) AS change,
    CASE WHEN before IS NOT NULL THEN change / greatest(abs(before), 1) END AS share
FROM kinds WHERE kind IS NOT NULL ORDER BY cell, as_of

-- name: between
-- What differs between what was known on `$first` and on `$second`.
WITH latest AS (SELECT * FROM vintages WHERE as_of > $first AND as_of <= $second
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
before AS (SELECT * FROM vintages WHERE as_of <= $first AND cell IN (SELECT cell FROM latest)
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
-- A new period is no revision: a value is an addition where that period, or a later one, was known of its target.
reached AS (
    SELECT source_id, target, freq, max(time_period) AS period FROM vintages WHERE as_of <= $first GROUP BY ALL),
states AS (
    SELECT latest.cell, latest.row, latest.as_of, before.obs_value AS before, latest.obs_value AS after,
        before.cell IS NULL AND latest.time_period <= reached.period AS is_addition
    FROM latest LEFT JOIN before ON latest.cell = before.cell LEFT JOIN reached ON latest.source_id = reached.source_id
        AND latest.target = reached.target AND latest.freq = reached.freq)

-- name: one_by_one
-- Each change from one version to the next known by `$day`: what a source usually does.
WITH known AS (SELECT * FROM vintages WHERE as_of <= $day AND stored_at NOT IN (SELECT unnest($void::TIMESTAMP[]))
    QUALIFY row_number() OVER (PARTITION BY cell, as_of, stored_at ORDER BY row) = 1),
days AS (SELECT source_id, target, freq, as_of, max(time_period) AS period FROM known GROUP BY ALL),
reached AS (SELECT * REPLACE (max(period) OVER (PARTITION BY source_id, target, freq ORDER BY as_of
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS period) FROM days),
versions AS (SELECT *, lag(obs_value) OVER versions AS before, row_number() OVER versions = 1 AS is_first
    FROM known WINDOW versions AS (PARTITION BY cell ORDER BY as_of, stored_at)),
states AS (
    SELECT versions.cell, versions.row, versions.as_of, before, obs_value AS after,
        is_first AND time_period <= reached.period AS is_addition
    FROM versions LEFT JOIN reached USING (source_id, target, freq, as_of))

-- name: statements
-- What the rows from `$stored` on state: `confirmed` is what the rows before hold already; an absence is named by the
-- row that held. `$received`: day of receipt. `$complete`: the rows are an edition that re-sends the whole history.
-- `is_over`: the row's period ended before the day of receipt.
WITH stored AS (SELECT * FROM vintages WHERE row < $stored),
incoming AS (SELECT *, cell IN (SELECT cell FROM stored) AS is_stored FROM vintages WHERE row >= $stored),
-- What was stored under a clock that was ahead is not known yet, and must not stand in the way of what is.
known AS (SELECT * FROM stored WHERE as_of <= greatest($received, (SELECT max(as_of) FROM incoming))),
newest AS (SELECT cell, obs_value, obs_flag FROM known
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
-- A row repeats its own publication, by its day; or, where that is estimated, what its cell holds at present.
marked AS (
    SELECT incoming.*, CASE WHEN as_of_estimated
        THEN newest.cell IS NOT NULL AND incoming.obs_value IS NOT DISTINCT FROM newest.obs_value
            AND incoming.obs_flag = newest.obs_flag
        ELSE EXISTS (FROM known WHERE known.cell = incoming.cell AND known.as_of = incoming.as_of
            AND known.obs_value = incoming.obs_value AND known.obs_flag = incoming.obs_flag) END AS is_repeated
    FROM incoming LEFT JOIN newest ON incoming.cell = newest.cell),
-- An estimated day gives way to the day of receipt: of a revision, and of a period that is over and came early.
dated AS (
    SELECT * REPLACE (CASE WHEN NOT as_of_estimated THEN as_of WHEN is_stored THEN greatest(as_of, $received)
            WHEN as_of > $received AND is_over THEN $received ELSE as_of END AS as_of,
        as_of_estimated AND NOT is_stored AND NOT (as_of > $received AND is_over) AS as_of_estimated) FROM marked),
timeline AS (FROM stored UNION ALL BY NAME FROM dated),
compared AS (
    SELECT *, row_number() OVER versions AS number, lag(obs_value) OVER versions AS former_value,
        lag(obs_flag) OVER versions AS former_flag,
        coalesce(max(as_of) FILTER (row < $stored) OVER (PARTITION BY cell) > as_of, false) AS is_backdated
    FROM timeline WINDOW versions AS (PARTITION BY cell ORDER BY as_of, stored_at)),
edition AS (SELECT min(as_of) AS day FROM incoming
    HAVING $complete AND min(as_of) = max(as_of) AND NOT bool_or(as_of_estimated)),
spans AS (SELECT target, freq, min(time_period) AS begins, max(time_period) AS ends FROM incoming GROUP BY ALL),
held AS (SELECT stored.*, day FROM stored, edition WHERE as_of <= day
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
-- What a complete edition does not hold, of the periods that it spans.
absent AS (SELECT row, day, obs_value IS NULL AS is_repeated,
        EXISTS (FROM stored WHERE stored.cell = held.cell AND stored.as_of > day) AS is_backdated
    FROM held JOIN spans USING (target, freq)
    WHERE time_period BETWEEN begins AND ends AND cell NOT IN (SELECT cell FROM incoming))
SELECT row, as_of, as_of_estimated, false AS is_absent,
    CASE WHEN is_repeated OR number > 1 AND obs_value IS NOT DISTINCT FROM former_value AND obs_flag = former_flag
        THEN 'confirmed' WHEN is_backdated THEN 'backdated' WHEN number = 1 THEN 'first' ELSE 'revision' END AS version
FROM compared WHERE row >= $stored
UNION ALL
SELECT row, day, false, true,
    CASE WHEN is_repeated THEN 'confirmed' WHEN is_backdated THEN 'backdated' ELSE 'revision' END FROM absent

-- name: changes
-- Cells stated at one of `$stamps` whose present value is not the newest statement that counts. Rows before `$stored`
-- are vintages, from it on the statements of editions. `$void`: times of storing that do not count. `stated_at`: newest
-- statement that counts, but for those at `$stamps`.
WITH versions AS (SELECT *, stored_at IN (SELECT unnest($void::TIMESTAMP[])) AS is_void FROM vintages
    WHERE cell IN (SELECT cell FROM vintages WHERE stored_at IN (SELECT unnest($stamps::TIMESTAMP[])))),
present AS (SELECT * FROM versions WHERE row < $stored
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
sound AS (SELECT * FROM versions WHERE NOT is_void
    QUALIFY row_number() OVER (PARTITION BY cell ORDER BY as_of DESC, stored_at DESC) = 1),
others AS (SELECT cell, max(stored_at) AS stated_at FROM versions
    WHERE NOT is_void AND stored_at NOT IN (SELECT unnest($stamps::TIMESTAMP[])) GROUP BY cell)
SELECT coalesce(present.row, sound.row) AS row, sound.obs_value, coalesce(sound.obs_flag, '') AS obs_flag,
    present.obs_value AS before, coalesce(stated_at, TIMESTAMP '1970-01-01') AS stated_at,
    CASE WHEN sound.as_of > present.as_of THEN sound.as_of ELSE greatest(present.as_of, $day) END AS as_of
FROM present FULL JOIN sound ON present.cell = sound.cell LEFT JOIN others
    ON others.cell = coalesce(present.cell, sound.cell)
WHERE sound.obs_value IS DISTINCT FROM present.obs_value
    OR sound.obs_value IS NOT NULL AND sound.obs_flag <> present.obs_flag
ORDER BY coalesce(present.cell, sound.cell)

-- name: contents
-- Number and hash of the rows of one source stored by a time, however they are parted into files.
SELECT count(*) AS rows, sha256(string_agg(row, '' ORDER BY row)) AS sha256 FROM (
    SELECT DISTINCT md5(concat_ws('|', series_id, time_period, target, route_id, geo, citizen, freq, obs_flag,
        printf('%.17g', coalesce(obs_value, 'nan')), epoch_ns(as_of), as_of_estimated, epoch_ns(stored_at))) AS row
    FROM vintages WHERE stored_at <= $until)

-- name: versions
-- All versions of one source as one file holds them, each once.
SELECT * EXCLUDE (row, cell), CASE WHEN row_number() OVER versions = 1 THEN 'first' ELSE 'revision' END AS version
FROM (SELECT * EXCLUDE (version) FROM vintages
    QUALIFY row_number() OVER (PARTITION BY cell, as_of, stored_at ORDER BY row) = 1)
WINDOW versions AS (PARTITION BY cell ORDER BY as_of, stored_at) ORDER BY cell, as_of, stored_at
