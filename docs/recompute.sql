-- Recompute the league table of a Vigie hub from its own files, with nothing of Vigie but this page.
-- In the hub's folder (`vigie hub validate .` must pass): duckdb -c ".read recompute.sql"
-- It equals `vigie hub score . --out league.csv` but for intervals and p-values, which are drawn, and the PIT.
-- The baseline is vigie-baseline. Scores: Bracher et al. 2021, doi 10.1371/journal.pcbi.1008618, on log(1 + count).

-- The oracle's file is among the CSV files, so that there is one; its rows are left out again. It lacks some columns.
SET VARIABLE csv_files = (
    SELECT list_concat(['target-data/oracle-output.csv'], coalesce(list(file), [])) FROM glob('model-output/*/*.csv'));

CREATE OR REPLACE TEMP VIEW forecasts AS
WITH files AS (
    SELECT filename, series_id, origin_date::DATE AS origin_date, horizon::INTEGER AS horizon,
        target_end_date::DATE AS target_end_date, output_type, output_type_id::VARCHAR AS level, value::DOUBLE AS value
    FROM read_parquet('model-output/*/*.parquet', union_by_name = true, filename = true)
    UNION ALL
    SELECT filename, series_id, try_cast(origin_date AS DATE), try_cast(horizon AS INTEGER),
        target_end_date::DATE, output_type, output_type_id, try_cast(value AS DOUBLE)
    FROM (
        SELECT '' AS origin_date, '' AS horizon, '' AS output_type, '' AS output_type_id, '' AS value WHERE false
        UNION ALL BY NAME
        FROM read_csv(getvariable('csv_files'), union_by_name = true, filename = true, all_varchar = true)))
SELECT regexp_extract(filename, '([^/]+)/[^/]+$', 1) AS model_id, series_id, origin_date, horizon, target_end_date,
    try_cast(level AS DOUBLE) AS level, value
FROM files WHERE output_type = 'quantile' AND filename LIKE '%model-output/%';

CREATE OR REPLACE TEMP VIEW outcomes AS
SELECT series_id, target_end_date::DATE AS target_end_date, last(oracle_value::DOUBLE) AS observed
FROM read_csv('target-data/oracle-output.csv', all_varchar = true)
WHERE oracle_value IS NOT NULL GROUP BY ALL;

-- One row per forecast whose outcome is known: twice the mean pinball loss over the levels, and three intervals.
CREATE OR REPLACE TEMP TABLE scores AS
SELECT model_id, series_id, origin_date, horizon, target_end_date,
    avg(2 * greatest(level * (ln(1 + observed) - ln(1 + value)), (level - 1) * (ln(1 + observed) - ln(1 + value)))) AS wis,
    bool_and(CASE level WHEN 0.25 THEN observed >= value WHEN 0.75 THEN observed <= value END) AS in_50,
    bool_and(CASE level WHEN 0.1 THEN observed >= value WHEN 0.9 THEN observed <= value END) AS in_80,
    bool_and(CASE level WHEN 0.025 THEN observed >= value WHEN 0.975 THEN observed <= value END) AS in_95
FROM forecasts JOIN outcomes USING (series_id, target_end_date) GROUP BY ALL;

-- Every group of forecasts, on the rows that the baseline forecast too.
CREATE OR REPLACE TEMP TABLE grouped AS
WITH base AS (SELECT * FROM scores WHERE model_id = 'vigie-baseline'),
tasks AS (SELECT series_id, origin_date, horizon, wis AS base_wis,
    ['winter', 'spring', 'summer', 'autumn'][month(target_end_date) % 12 // 3 + 1] AS season FROM base),
groups AS (
    SELECT 'all' AS kind, '_T' AS "group", * FROM tasks
    UNION ALL SELECT 'span', '1-3', * FROM tasks WHERE horizon BETWEEN 1 AND 3
    UNION ALL SELECT 'span', '4-6', * FROM tasks WHERE horizon BETWEEN 4 AND 6
    UNION ALL SELECT 'span', '7-12', * FROM tasks WHERE horizon BETWEEN 7 AND 12
    UNION ALL SELECT 'horizon', horizon::VARCHAR, * FROM tasks
    UNION ALL SELECT 'series', series_id, * FROM tasks WHERE horizon BETWEEN 1 AND 3
    UNION ALL SELECT 'season', season, * FROM tasks WHERE horizon BETWEEN 1 AND 3)
SELECT kind, "group", model_id, series_id, origin_date, horizon, base_wis, wis, in_50, in_80, in_95,
    count(*) FILTER (model_id = 'vigie-baseline') OVER (PARTITION BY kind, "group") AS asked
FROM groups JOIN scores USING (series_id, origin_date, horizon);

-- Pairwise: geometric mean of a model's ratios to every model on the rows that both forecast, the baseline's being 1.
CREATE OR REPLACE TEMP TABLE league AS
WITH ratios AS (
    SELECT kind, "group", a.model_id, ln(sum(a.wis) / sum(b.wis)) AS ratio
    FROM grouped AS a JOIN grouped AS b USING (kind, "group", series_id, origin_date, horizon)
    GROUP BY kind, "group", a.model_id, b.model_id HAVING sum(a.wis) > 0 AND sum(b.wis) > 0),
theta AS (SELECT kind, "group", model_id, exp(avg(ratio)) AS theta FROM ratios GROUP BY ALL),
means AS (
    SELECT kind, "group", model_id, avg(wis) AS wis, sum(wis) / sum(base_wis) AS relative_wis,
        avg(in_50::INTEGER) AS coverage_50, avg(in_80::INTEGER) AS coverage_80, avg(in_95::INTEGER) AS coverage_95,
        count(*) AS n, any_value(asked) - count(*) AS missing, count(DISTINCT origin_date) AS rounds
    FROM grouped GROUP BY ALL)
SELECT means.kind, means."group", means.model_id, wis, theta.theta / base.theta AS pairwise_wis,
    means.* EXCLUDE (kind, "group", model_id, wis)
FROM means JOIN theta USING (kind, "group", model_id)
JOIN (SELECT kind, "group", theta FROM theta WHERE model_id = 'vigie-baseline') AS base USING (kind, "group");

SELECT * FROM league ORDER BY kind, "group", pairwise_wis;
