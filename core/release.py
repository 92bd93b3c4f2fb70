"""The contract of a release: every table once, with its columns, units, who writes it and who reads it.

:mod:`store` writes and reads releases through it, :mod:`core.release_docs` makes each release's ``release.md`` and
``datapackage.json`` from it. A word has one meaning: columns of the same name are declared once, in ``WORDS``.
"""

from __future__ import annotations

from dataclasses import replace

from core.calendar import FREQUENCIES
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table

CONTRACT_VERSION = 1
"""Version of this contract; it grows when a table or column is renamed, removed or changes its meaning."""
LEVELS_OF_ALERTS = ("information", "watch", "warning", "severe")
PARTS_OF_ONE = ("share", "probability")
"""Units of what lies between 0 and 1."""


def _text(about: str, *one_of: str) -> Column:
    return Column(TEXT, about, one_of=one_of)


def _number(about: str, unit: str = "", *, least: float | None = None, most: float | None = None) -> Column:
    if unit in PARTS_OF_ONE:
        least, most = 0, 1
    return Column(NUMBER, about, unit, least=least, most=most)


def _gap(column: Column) -> Column:
    return replace(column, nullable=True)


def _count(about: str, unit: str = "", least: int = 0) -> Column:
    return Column(WHOLE, about, unit, least=least)


PERSONS = "persons"
"""Unit of a value: what the series' ``target`` counts, persons for arrivals."""

WORDS: dict[str, Column] = {
    "source_id": _text("who publishes"),
    "series_id": _text("one target × route × place × citizenship × frequency; `_T` for all series together"),
    "target": _text("what is counted"),
    "route_id": _text("route; `_Z` where none applies, `_T` for all"),
    "geo": _text("country or place of arrival, ISO 3166 alpha-3; `_T` for all"),
    "citizen": _text("citizenship, ISO 3166 alpha-3; `_T` for all"),
    "freq": _text("frequency", *FREQUENCIES),
    "time_period": _text("period, such as `2025-01`, `2025-Q1` or `2025-01-31`"),
    "obs_value": _number("value of the period", PERSONS),
    "obs_flag": _text("empty: normal; letters: `p` provisional, `e` estimated, `b` break in series"),
    "as_of": Column(DAY, "first day on which this was known"),
    "as_of_estimated": Column(YES_NO, "whether that day is the period's end plus the source's usual lag"),
    "model_id": _text("model; `vigie-ensemble` is what is served"),
    "model_version": _gap(_text("version of the model's code")),
    "history_hash": _gap(_text("hash of the values that the model was fitted on")),
    "origin_date": Column(DAY, "last day of the last observed period that the model may know"),
    "horizon": _count("periods ahead of the origin", "periods", 1),
    "target_end_date": Column(DAY, "last day of the forecast period"),
    "output_type": _text("hubverse type of the value"),
    "output_type_id": _number("quantile level", least=0.001, most=0.999),
    "value": _number("forecast value", PERSONS, least=0),
    "fallback": Column(YES_NO, "whether the baseline stands in for the model"),
    "capped": Column(YES_NO, "whether values were cut to a bound of the history"),
    "reason": _gap(_text("why the baseline stands in for the model")),
    "spread_factor": _gap(_number("by what the calibration of dispersion widened the quantiles", least=0)),
    "wis": _number("weighted interval score (Bracher et al. 2021)", "score", least=0),
    "relative_wis": _gap(_number("mean WIS relative to `vigie-baseline` on the same forecasts; below 1 is better")),
    "relative_wis_lo": _gap(_number("lower end of its 90 % block-bootstrap interval")),
    "relative_wis_hi": _gap(_number("upper end of its 90 % block-bootstrap interval")),
    "p_holm": _gap(
        _number(
            "p-value of a ratio of 1, by Holm's correction over all series and horizons of one model on one scale",
            "probability",
        )
    ),
    **{
        f"coverage_{level}": _number(f"share of outcomes inside the {level} % interval", "share")
        for level in (50, 80, 95)
    },
    "coverage_98": _number("share of outcomes inside the 98 % interval", "share"),
    "n": _count("how many forecasts, months or cases it rests on", least=1),
    "scale": _text("scale on which scores are taken: log1p or persons", "log", "natural"),
    "rule": _text("rule of alerts"),
    "level": _text("level of alerts: this one or a graver"),
    "note": _text("why a series is not forecast; empty where it is"),
    "state": _text("`ok`, or why it is not forecast"),
    "last_period": _text("newest period known"),
}
"""Columns by name. A table may give a column of its own another meaning or bound."""


def _of(names: str, **own: Column) -> dict[str, Column]:
    """Columns in their order, from the words above and a table's own."""
    return {name: own.get(name) or WORDS[name] for name in names.split()}


def _estimates(names: str, about: dict[str, str], unit: dict[str, str] | None = None) -> dict[str, Column]:
    """Measures with the ends of their 90 % intervals; each may be missing."""
    return {
        name + suffix: _gap(_number(about[name] + ends, (unit or {}).get(name, "")))
        for name in names.split()
        for suffix, ends in (("", ""), ("_lo", ": lower end, 90 %"), ("_hi", ": upper end, 90 %"))
    }


_MARKS = _of("model_version history_hash fallback capped reason spread_factor")

PANEL = Table(
    "panel", "Input of the forecast engine: one frequency, any series; further columns are groupings.",
    _of("series_id time_period value", value=_gap(_number("observed value", PERSONS, least=0))),
    ("series_id", "time_period"),
)  # fmt: skip
"""Not of a release: what crosses from the night into the engine."""

_OBSERVATION = "source_id series_id target route_id geo citizen freq time_period obs_value obs_flag as_of"
OBSERVATIONS = Table(
    "observations",
    "What sources published, as known on the release's date, and the routes made of it. Counts are never negative; "
    "indicators may be.",
    _of(f"{_OBSERVATION} as_of_estimated"),
    ("source_id", "series_id", "time_period", "as_of"),
    "ingest.routes",
    ("dashboard", "decisions", "reports", "store", "nightly"),
    required=True,
)  # fmt: skip

REJECTED = Table(
    "rejected", "Rows that a parser set aside.",
    _of(
        "source_id file row column rule record message",
        file=_text("file in which it stood"),
        row=_text("row in which it stood"),
        column=_text("column that broke the rule"),
        rule=_text("the rule"),
        record=_text("the row itself, as text"),
        message=_text("the rule as a message id with its parameters, JSON"),
    ),
    (), "ingest.rows", ("dashboard",),
)  # fmt: skip

FORECASTS = Table(
    "forecasts", "Hubverse quantile table: every model and the ensemble, from each route's last complete month.",
    _of(
        "model_id series_id origin_date horizon target_end_date output_type output_type_id value",
        output_type=_text("hubverse type of the value", "quantile", "median"),
    ),
    ("model_id", "series_id", "origin_date", "horizon", "output_type", "output_type_id"),
    "forecasting.ensemble",
    ("dashboard", "reports", "nightly"),
    required=True,
)  # fmt: skip

TRAJECTORIES = Table(
    "trajectories",
    "Joint sample paths: one `output_type_id` is one possible future of all series and horizons together.",
    _of(
        "model_id series_id origin_date horizon target_end_date output_type output_type_id value",
        output_type=_text("hubverse type of the value", "sample"),
        output_type_id=_count("number of the path"),
    ),
    (), "forecasting.trajectories", ("dashboard", "reports", "nightly"), required=True,
)  # fmt: skip

NOWCASTS = Table(
    "nowcasts", "The running month of series that are counted by day, at the 23 levels.",
    _of(
        "model_id series_id route_id as_of origin_date target_end_date last_day so_far output_type output_type_id "
        "value unsharpened relative_wis n used",
        last_day=Column(DAY, "newest day counted"),
        so_far=_number("counted up to and on that day", PERSONS, least=0),
        output_type=_text("hubverse type of the value", "quantile"),
        unsharpened=_number("the ensemble's quantile without the days", PERSONS, least=0),
        relative_wis=_gap(_number("mean WIS (log) relative to the ensemble's, on the same day of past months")),
        n=_count("past months compared", "months"),
        used=Column(YES_NO, "whether it was better, and took the place of the forecast"),
    ),
    ("series_id", "target_end_date", "output_type_id"), "nightly.nowcasts", ("dashboard", "reports"),
)  # fmt: skip

WEEKS = Table(
    "weeks",
    "The next eight weeks, Monday to Sunday, of series that are counted by day, at the 23 levels: from the same paths "
    "of days as the running month's nowcast.",
    _of(
        "model_id series_id route_id as_of origin_date horizon target_end_date last_day so_far output_type "
        "output_type_id value",
        series_id=_text("the weeks of a daily series, as a hub names them"),
        origin_date=Column(DAY, "the Sunday before the week that holds the day after the newest one"),
        horizon=_count("weeks ahead of it", "weeks", 1),
        target_end_date=Column(DAY, "the week's Sunday"),
        last_day=Column(DAY, "newest day counted"),
        so_far=_number("counted of the week up to and on that day", PERSONS, least=0),
        output_type=_text("hubverse type of the value", "quantile"),
    ),
    ("series_id", "target_end_date", "output_type_id"), "nightly.nowcasts", ("dashboard", "nightly"),
)  # fmt: skip

WEEK_SCORES = Table(
    "week_scores",
    "Scores of the weeks ahead at past Sundays relative to a random walk (`vigie-baseline`) and a seasonal one "
    "(`vigie-snaive`) of the same weeks, on figures as they are now.",
    _of(
        "model_id series_id horizon reference scale wis relative_wis relative_wis_lo relative_wis_hi p_holm "
        "coverage_50 coverage_80 coverage_95 coverage_98 n",
        horizon=_count("weeks ahead", "weeks", 1),
        reference=_text("what it is measured against"),
        relative_wis=_gap(_number("mean WIS relative to the reference's on the same weeks; below 1 is better")),
        p_holm=_gap(
            _number(
                "p-value of a ratio of 1 (block bootstrap), by Holm's correction over all ratios of one scale",
                "probability",
            )
        ),
    ),
    ("series_id", "horizon", "reference", "scale"), "forecasting.weeks", ("dashboard",),
)  # fmt: skip

_INTERVAL_ENDS = {"lo": "lower", "hi": "upper"}
YEAR_AHEAD = Table(
    "year_ahead",
    "Totals of twelve months, counted so far plus to come, from sample paths; with their record at past origins "
    "against the baseline, on figures as they are now. `series_id` is `_T` for all routes together; "
    "countries of destination stand apart, with first-time asylum applications.",
    _of(
        "series_id kind ahead first_period last_period origin_date counted months_counted last_total median",
        kind=_text("which twelve months", "calendar year", "July to June"),
        ahead=_count("0: the running ones, 1: the next"),
        first_period=_text("first month, such as `2025-01`"),
        last_period=_text("last month"),
        counted=_number("counted of it so far", PERSONS, least=0),
        months_counted=_count("months counted so far; of several series those that all have", "months"),
        last_total=_gap(_number("newest complete total of the same months of a year", PERSONS, least=0)),
        median=_number("median of the total", PERSONS, least=0),
    )
    | {
        f"{side}_{level}": _number(f"{end} end of the {level} % interval", PERSONS, least=0)
        for level in (50, 80, 95)
        for side, end in _INTERVAL_ENDS.items()
    }
    | {
        f"chance_{more}": _gap(
            _number(f"probability of more than `last_total` by over {more} %", "probability")
        )
        for more in (0, 25, 50, 100)
    }
    | {
        "relative_wis": _gap(_number("mean WIS (log1p) at past origins over that of the baseline's totals")),
        "relative_wis_lo": _gap(_number("lower end of its 90 % block-bootstrap interval")),
        "relative_wis_hi": _gap(_number("upper end of its 90 % block-bootstrap interval")),
        "p_holm": WORDS["p_holm"],
        **{
            f"coverage_{level}": _gap(_number(f"share of past totals inside the {level} % interval", "share"))
            for level in (50, 80, 95)
        },
        "n": _count("past origins it rests on"),
        "years": _count("different windows among them: no more are independent of each other", "years"),
    },
    ("series_id", "kind", "first_period"), "forecasting.year_ahead", ("dashboard", "reports"),
)  # fmt: skip

REPLAYS = Table(
    "replays", "Forecasts that every model would have made at past origins, one row each, as they are shown.",
    _of("model_id series_id origin_date horizon target_end_date")
    | {f"q{level}": _number(f"quantile at {level} %", PERSONS, least=0) for level in (10, 25, 50, 75, 90)}
    | {"wis": _gap(_number("weighted interval score on log1p scale at all 23 levels", "score", least=0))},
    ("model_id", "series_id", "origin_date", "horizon"), "nightly.tables", ("dashboard",),
)  # fmt: skip

FIGURES_THEN = Table(
    "figures_then",
    "Values of the five years up to a past origin that it knew otherwise than the release does. What is not listed of "
    "these years was known then as it is now.",
    _of(
        "series_id origin_date time_period obs_value",
        obs_value=_gap(_number("the value known then; missing where the period was not known", PERSONS)),
    ),
    ("series_id", "origin_date", "time_period"), "nightly.tables", ("dashboard",),
)  # fmt: skip

SCORES = Table(
    "scores", "Mean scores of every model over past origins.",
    _of(
        "model_id series_id horizon scale wis relative_wis relative_wis_lo relative_wis_hi p_holm "
        "coverage_50 coverage_80 coverage_95 coverage_98 n",
        horizon=Column(WHOLE, "periods ahead of the origin", "periods"),
    ),
    ("model_id", "series_id", "horizon", "scale"), "forecasting.verification", ("dashboard", "reports"), required=True,
)  # fmt: skip

ISSUED_SCORES = Table(
    "issued_scores",
    "Scores of the forecasts that releases issued before their outcomes were known: one row per forecast, kept from "
    "release to release. Replays issue none.",
    _of(
        "run_id series_id origin_date horizon target_end_date observed wis_log reference_log wis_natural "
        "reference_natural covered_50 covered_80 covered_95",
        run_id=_text("the release that issued it, the first from its origin"),
        observed=_number("the outcome as it was first known", PERSONS, least=0),
        **{
            f"{of}_{scale}": _number(f"{words}, {unit}", "score", least=0)
            for of, words in (("wis", "its weighted interval score"), ("reference", "that of the baseline"))
            for scale, unit in (("log", "log1p scale"), ("natural", "persons"))
        },
        **{f"covered_{level}": Column(YES_NO, f"whether the {level} % interval held it") for level in (50, 80, 95)},
    ),
    ("series_id", "origin_date", "horizon"), "nightly.tables", ("dashboard", "store"),
)  # fmt: skip

ALERTS = Table(
    "alerts", "One row per alert of the release.",
    _of(
        "alert_id rule alert_level route_id series_id source_id reason probability threshold first_period last_period "
        "horizon change intended_use",
        alert_id=_text("its name, the same from night to night"),
        alert_level=_text(
            "how grave; `information`: without a level, as what merely informs, and preparedness triggers: likely "
            "enough for the ratio of costs, and no likelier than usual",
            *LEVELS_OF_ALERTS,
        ),
        reason=_text("the sentence that states it, in English"),
        probability=_gap(_number("probability of the event in the months named", "probability")),
        threshold=_gap(_number("number to be passed, or fallen to", "as the series")),
        first_period=_text("first month of the window, such as `2025-02`"),
        last_period=_text("last month of the window"),
        horizon=Column(WHOLE, "months ahead; 0 where it lies in the past", "months"),
        change=_text("`new`, `up`, `down` or `unchanged` since the former release"),
        intended_use=_text("what it may be used for"),
    ),
    ("alert_id",),
    "alerts.rules",
    ("cli", "dashboard", "decisions", "nightly", "reports", "store"),
    required=True,
)  # fmt: skip
_REASON = _of(
    "base_rate cutoff prepare_from likely_period reason_key reason_params unjudged_since",
    base_rate=_gap(_number("how often the event followed earlier months of the season on this route", "probability")),
    cutoff=_gap(_number("smallest probability for a level on this route in this season", "probability")),
    prepare_from=_gap(_number("smallest probability at which the ratio of costs asks for preparation", "probability")),
    likely_period=_text("first month of the window that is likely to bring it"),
    reason_key=_text("id of the sentence"),
    reason_params=_text("its parameters, JSON"),
    unjudged_since=_text("first night without fresh figures that show whether it holds; empty: it is judged"),
)

_MEASURES = {
    "precision": "share of alerts, without repeats and those about no onset, that foretold an onset or were confirmed",
    "recall": "share of onsets that had an alert of their own",
    "false_alarms_per_route_year": "alerts without an event, per route and year",
    "lead_months_median": "median months between alert and event",
    "auc": "area under the ROC curve of the probability",
    "lead_months_q25": "lower quartile of the months between alert and event",
    "lead_months_q75": "upper quartile of the months between alert and event",
    "brier_skill": "Brier skill score against the base rate",
}
TRACK_RECORD = Table(
    "track_record",
    "How often a rule was right at past origins, judged after the months from which its thresholds were taken.",
    _of(
        "rule level route_id horizon n_events",
        horizon=Column(WHOLE, "months ahead", "months"),
        n_events=_count("events that occurred"),
    )
    | _estimates(" ".join(_MEASURES), _MEASURES, {"precision": "share", "recall": "share"})
    | {
        "n_alerts": _gap(_number("alerts that the rule would have given")),
        "n_repeats": _gap(_number("of these, further ones about an onset already foretold")),
        "n_no_onset": _gap(_number("of these, followed by the event but by no onset of it")),
        "base_rate": _gap(_number("share of months with an event", "share")),
        "cutoff": _gap(_number("from which it warns: a probability, or a simple alternative's own score")),
        **{
            f"{what}_{end}": _gap(_text(f"{'first' if end == 'from' else 'last'} month on which it was {what}"))
            for what in ("trained", "judged")
            for end in ("from", "to")
        },
    },
    (), "alerts.verification", ("dashboard", "reports"), required=True,
)  # fmt: skip

REVISIONS = Table(
    "revisions", "What a source changed about periods it had published before, since the former release.",
    _of(
        "source_id series_id time_period target route_id geo citizen freq as_of kind before after change share usual",
        kind=_text("`added`: none was there although due; `deleted`: withdrawn", "added", "changed", "deleted"),
        before=_gap(_number("former value", PERSONS)),
        after=_gap(_number("new value", PERSONS)),
        change=_number("after less before, none counted as 0", PERSONS),
        share=_gap(_number("that relative to the former value")),
        usual=_gap(_number("`share` up to which the source's other revisions usually go")),
    ),
    ("source_id", "series_id", "time_period", "as_of"), "store.figures.vintages", ("dashboard",),
)  # fmt: skip

EDITIONS = Table(
    "editions",
    "Files and answers taken in up to the release's date, the newest last: what each changed, and what people decided.",
    _of(
        "edition_id source_id file sha256 received given_by state rows new changed gone why_held reported decided "
        "decided_by reason",
        edition_id=_text("its source, day and the beginning of its hash"),
        file=_text("name of the file, or of the answer's files"),
        sha256=_text("hash of its bytes"),
        received=_text("when it came, UTC"),
        given_by=_text("who gave it: a person, or `nightly`"),
        state=_text("what became of it", "held", "known", "withdrawn", "rejected"),
        rows=_count("figures in it"),
        new=_count("figures of periods that had none"),
        changed=_count("known figures that it changed"),
        gone=_count("known figures that it took away"),
        why_held=_text("why it was held; empty where it was not"),
        reported=_text("what is unusual about it"),
        decided=_text("when a person decided about it; empty without a decision"),
        decided_by=_text("who decided"),
        reason=_text("why, in that person's words"),
    ),
    ("edition_id",), "nightly.night", ("dashboard", "nightly"),
)  # fmt: skip

ATTRIBUTION = Table(
    "attribution",
    "Why a route's forecast moved since the release before: steps that add up to the change of one quantity of one "
    "month. Without rows where there is no release before.",
    _of(
        "series_id target_end_date quantity step value",
        quantity=_text(
            "`median` and `width80` (length of the 80 % interval) of the month; at the planning window's last month "
            "also `total`, the median of the window's sum, and `probability` of the gravest open alert about the "
            "months ahead, with its threshold and window of now in both releases",
            "median", "width80", "total", "probability",
        ),
        step=_text(
            "`revisions:` or `counts:` (new periods) with the source, under the former fits; `refit`: parameters, "
            "calibration and sample paths; `model`: its version"
        ),
        value=_number("by how much the step moved it, persons or probability"),
    ),
    ("series_id", "target_end_date", "quantity", "step"), "nightly.attribution", ("dashboard", "reports"),
)  # fmt: skip

_RATIOS = {
    "ratio": "score with the driver over the score without",
    "shifted": "the same with the driver shifted in time",
    "missing": "the same with a constant that has the driver's gaps",
}
_PROVENANCE = {
    name: _text(about)
    for name, about in {
        "command": "command that made the test",
        "made_on": "day on which it was made",
        "panel": "panel tested",
        "first_origin": "first origin",
        "last_origin": "last origin",
        "panel_hash": "hash of the panel",
        "snapshot": "hash of the bundled snapshot",
        "model": "model tested",
    }.items()
}
DRIVER_TESTS = Table(
    "driver_tests",
    "Whether a driver helps the pooled model; `series_id` is a total of the panel tested, `_T` for all of them, "
    "`_parts` for their parts together.",
    _of("driver series_id horizon scale", driver=_text("driver"))
    | _estimates(" ".join(_RATIOS), _RATIOS)
    | _of(
        "p_value p_holm n verdict",
        p_value=_gap(_number("p-value of no gain", "probability")),
        p_holm=_gap(_number("the same after Holm's correction", "probability")),
        verdict=_text("what may be said", "evidence", "no evidence", "makes it worse"),
    ),
    ("driver", "series_id", "horizon", "scale"), "nightly.tables", ("dashboard",),
)  # fmt: skip

FRESHNESS = Table(
    "freshness", "How old each source's newest value is, against its usual rhythm.",
    _of(
        "source_id last_period last_as_of age_days expected_days state next_expected learned_from",
        last_as_of=Column(DAY, "day on which the newest period was known"),
        age_days=Column(WHOLE, "days since that period's end", "days"),
        expected_days=Column(WHOLE, "days after which the next one is usually known", "days"),
        state=_text("how late it is", "fresh", "due", "overdue", "delinquent"),
        next_expected=_gap(Column(DAY, "day by which the next period is usually known")),
        learned_from=_count("past periods it was estimated from; 0: the catalogue's"),
    ),
    ("source_id",), "ingest.freshness", ("reports", "dashboard", "nightly", "store"), required=True,
)  # fmt: skip

FRESHNESS_CHANGES = Table(
    "freshness_changes", "Sources whose freshness is another than in the release before.",
    _of(
        "source_id before after last_period",
        before=_text("state in the release before"),
        after=_text("state now"),
    ),
    ("source_id",), "ingest.freshness", ("nightly",),
)  # fmt: skip

DELAYS = Table(
    "delays", "Delay profile: mean share of a period's values that were known each number of days after its end.",
    _of(
        "source_id target freq days share periods",
        days=Column(WHOLE, "days after a period's end", "days"),
        share=_number("share of its values known by then", "share"),
        periods=_count("periods whose publication is on record", "periods", 1),
    ),
    ("source_id", "target", "freq", "days"), "ingest.freshness", (),
)  # fmt: skip

REPORTING = Table(
    "reporting", "Sums over the countries of a source, and how many of them have reported the period.",
    _of(
        "source_id target freq time_period reported expected total provisional",
        reported=_count("countries that reported it", "countries"),
        expected=_count("countries that reported any of the twelve periods before", "countries", 1),
        total=_number("sum over those that reported", PERSONS),
        provisional=Column(YES_NO, "whether some have not, or a value is provisional"),
    ),
    ("source_id", "target", "freq", "time_period"), "ingest.freshness", ("dashboard",),
)  # fmt: skip

ROUTES = Table(
    "routes", "Every route and whether it can be forecast.",
    _of(
        "route_id series_id state last_period origin_date note editions",
        origin_date=_gap(WORDS["origin_date"]),
        editions=_count("most editions on record of one value behind it", "editions"),
    ),
    ("route_id",), "nightly", ("dashboard", "nightly", "reports", "store"),
)  # fmt: skip

WEIGHTS = Table(
    "weights", "How the ensemble was made: the weight of each member of every forecast.",
    _of(
        "model_id series_id origin_date horizon weight",
        weight=_number("weight in the ensemble", "share"),
    ),
    (), "forecasting.ensemble", ("dashboard",),
)  # fmt: skip

CALIBRATION = Table(
    "calibration", "Coverage by interval, and the PIT histogram.",
    _of(
        "model_id series_id horizon kind level value n",
        kind=_text("what the row holds", "coverage", "pit"),
        level=_number("nominal coverage, or lower end of the bin", "share"),
        value=_number("share of outcomes", "share"),
    ),
    (), "forecasting.verification", ("dashboard",),
)  # fmt: skip

GROUP_ERRORS = Table(
    "group_errors", "Errors of forecasts by route, region of origin and nationality, each group measured alone.",
    _of(
        "kind route_id geo group model_id horizon n n_series relative_wis relative_wis_lo relative_wis_hi bias "
        "coverage_50 coverage_80 coverage_95 mark",
        kind=_text("kind of group: `route`, `region` or `citizen`"),
        group=_text("the group"),
        n_series=_count("series in it", "series"),
        bias=_gap(_number("from −1 (forecasts always too low) to 1 (always too high)")),
        mark=_text("what a reader must know: too few, worse than the baseline, or too narrow"),
    ),
    (), "forecasting.verification", ("dashboard",),
)  # fmt: skip

SITUATION_SCORES = Table(
    "situation_scores",
    "The ensemble's scores at past origins where it matters: by size of the series, in calm and surge months, by year, "
    "for high figures (threshold-weighted CRPS) and for whole paths (energy score).",
    _of(
        "kind group model_id horizon scale score relative_score relative_score_lo relative_score_hi coverage_80 n",
        kind=_text("what is distinguished, or scored", "size", "month", "year", "high", "path"),
        group=_text(
            "`size`: mean of the twelve months up to the origin; `month`: `surge` with 1.5 times that mean or more, "
            "else `calm`; `year`: of the origin; `high`: share of earlier months below the threshold; `path`: each "
            "series `alone`, or all `together`"
        ),
        horizon=Column(WHOLE, "periods ahead of the origin; of paths their length", "periods"),
        score=_number("mean WIS, threshold-weighted CRPS by quantiles, or energy score", "score"),
        relative_score=_gap(_number("ratio of that to the baseline's on the same rows; below 1 is better")),
        relative_score_lo=_gap(_number("lower end of its 90 % block-bootstrap interval")),
        relative_score_hi=_gap(_number("upper end of its 90 % block-bootstrap interval")),
        coverage_80=_gap(WORDS["coverage_80"]),
    ),
    ("kind", "group", "model_id", "horizon", "scale"), "forecasting.verification.situations", ("dashboard",),
)  # fmt: skip

ALERT_RELIABILITY = Table(
    "alert_reliability", "Reliability of the rules' probabilities at past origins, by bin.",
    _of(
        "rule horizon bin_low bin_high chance came came_lo came_hi n",
        horizon=Column(WHOLE, "months ahead", "months"),
        bin_low=_number("lower end of the bin", "probability"),
        bin_high=_number("upper end of the bin", "probability"),
        chance=_gap(_number("mean probability in the bin", "probability")),
        **_estimates("came", {"came": "share of cases in which the event occurred"}, {"came": "share"}),
        n=_count("cases in the bin"),
    ),
    (), "alerts.verification", ("dashboard",),
)  # fmt: skip

ALERT_THRESHOLDS = Table(
    "alert_thresholds", "Probability from which each level of each rule warns, and the months it was taken from.",
    _of(
        "rule level horizon cutoff honest_cutoff cost_loss_ratio trained_from trained_to",
        horizon=Column(WHOLE, "months ahead", "months"),
        cutoff=_gap(_number("probability from which the rule warns", "probability")),
        honest_cutoff=_gap(_number("Bayes threshold: where a calibrated probability would warn", "probability")),
        cost_loss_ratio=_gap(_number("cost of a needless warning over the loss of a missed event")),
        trained_from=_gap(_text("first month it was taken from")),
        trained_to=_gap(_text("last month it was taken from")),
    ),
    (), "alerts.verification.cutoffs", ("dashboard",),
)  # fmt: skip

DOCUMENTED_RISES = Table(
    "documented_rises", "Alerts that would have been raised before documented rises.",
    _of(
        "event_id route_id month title what source url horizon origin chance cutoff level came basis",
        event_id=_text("the event"),
        month=_text("first month of the rise"),
        title=_text("its title, English"),
        what=_text("what happened, English"),
        source=_text("who documents it"),
        url=_text("where"),
        horizon=Column(WHOLE, "months ahead; 0 where nothing is kept", "months"),
        origin=_text("last month known"),
        chance=_gap(_number("probability given then", "probability")),
        cutoff=_gap(_number("probability from which the rule warns", "probability")),
        level=_text("level of the alert that would have been given; empty for none"),
        came=_gap(_number("1 where the event occurred by the rule's definition", "")),
        basis=_text("values it rests on: `arrivals`, `detections`, or empty"),
    ),
    (), "alerts.verification", ("dashboard",),
)  # fmt: skip

EVENTS = Table(
    "events", "Documented rises, agreements and laws, from public records.",
    _of(
        "event_id kind route_id month title what source url",
        event_id=_text("the event"),
        kind=_text("what it is", "rise", "agreement", "law"),
        route_id=_text("the route; `asylum` for asylum applications in general"),
        month=_text("first month"),
        title=_text("its title, English"),
        what=_text("what happened, English"),
        source=_text("who documents it"),
        url=_text("where"),
    ),
    ("event_id",), "ingest.registers", ("dashboard",), required=False,
)  # fmt: skip


def _like(table: Table, name: str, about: str, writer: str, *readers: str, **more: Column) -> Table:
    """A table of the same rows in another place of the release."""
    columns = {**table.columns, **more}
    return replace(
        table, name=name, about=about, columns=columns, written_by=writer, read_by=readers, required=False
    )  # fmt: skip


_TIMING = _text(
    "`in time`: received while the round was open; `late`; `replay`: computed afterwards on what was known then",
    "in time", "late", "replay",
)  # fmt: skip
HUB_MODELS = Table(
    "hub_models", "Models of the forecast hub, as their teams describe them.",
    _of(
        "model_id team_name model_name methods licence designated",
        team_name=_text("the team"),
        model_name=_text("the model"),
        methods=_text("its method in a sentence"),
        licence=_text("licence of its forecasts"),
        designated=Column(YES_NO, "whether the hub's ensembles take it in"),
    ),
    ("model_id",), "hub.tables", ("dashboard",),
)  # fmt: skip
HUB_EDITIONS = Table(
    "hub_editions", "Every submission that the hub received, each file as it came: the hash proves that it stayed so.",
    _of(
        "model_id round_id sha256 file received late",
        round_id=_text("the round, named by its origin's day"),
        sha256=_text("hash of the file"),
        file=_text("its name"),
        received=Column(DAY, "day on which it was received"),
        late=Column(YES_NO, "whether the round had closed"),
    ),
    ("model_id", "round_id", "sha256"), "hub.tables", ("dashboard", "store"),
)  # fmt: skip
HUB_FORECASTS = Table(
    "hub_forecasts", "Forecasts of other teams and of the hub's ensembles, one row each, as they are shown.",
    _of("model_id series_id origin_date horizon target_end_date")
    | {f"q{level}": _number(f"quantile at {level} %", PERSONS, least=0) for level in (10, 25, 50, 75, 90)}
    | {
        "wis": _gap(_number("weighted interval score on log1p scale at all levels", "score", least=0)),
        "timing": _TIMING,
    },
    ("model_id", "series_id", "origin_date", "horizon"), "hub.tables", ("dashboard",),
)  # fmt: skip
HUB_SCORES = Table(
    "hub_scores", "League table of the hub: every model on the same rows as the baseline and as each other.",
    _of(
        "timing target freq kind group model_id wis pairwise_wis relative_wis relative_wis_lo relative_wis_hi "
        "p_holm coverage_50 coverage_80 coverage_95 n missing rounds",
        timing=_text("which forecasts are compared: `in time`, or `all`, replays among them", "in time", "all"),
        kind=_text("what a group is", "all", "span", "horizon", "series", "season"),
        group=_text("the group, such as horizons `1-3`, a series or a season"),
        pairwise_wis=_gap(_number("geometric mean of score ratios to every model, relative to the baseline's")),
        missing=_count("the baseline's forecasts without one of this model"),
        rounds=_count("rounds scored", "rounds"),
    )
    | {f"pit_{one}": _number(f"share of outcomes in tenth {one} of the forecast", "share") for one in range(1, 11)},
    ("timing", "target", "freq", "kind", "group", "model_id"), "hub.tables", ("dashboard",),
)  # fmt: skip

RECEPTION_NEEDS = Table(
    "reception_needs",
    "What people in reception need in each period ahead, as forecast (`factor` 1) and where arrivals ahead are "
    "multiplied by a factor: a conditional projection, never scored.",
    _of(
        "series_id factor freq last_period last_value time_period horizon",
        factor=_number("by what arrivals ahead are multiplied", least=0),
        last_value=_number("people at the end of that period", PERSONS, least=0),
        time_period=_text("period ahead, at whose end people are counted"),
    )
    | {"median": _number("median", PERSONS, least=0)}
    | {
        f"{side}_{level}": _number(f"{end} end of the {level} % interval", PERSONS, least=0)
        for level in (50, 80, 95)
        for side, end in _INTERVAL_ENDS.items()
    }
    | {
        "entries": _number("expected entries in the period", PERSONS, least=0),
        "exits": _number("expected exits in the period: what balances stock and entries", PERSONS),
        "enough": _number("places that suffice up to the period's end in nine of ten paths", PERSONS, least=0),
        "places": _gap(_number("places known", PERSONS, least=0)),
        "chance": _gap(_number("probability that people exceed the places at the period's end", "probability")),
    },
    ("series_id", "factor", "time_period"), "nightly.reception", ("dashboard", "reports"),
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    replace(FORECASTS, columns=FORECASTS.columns | _MARKS | _of("target as_of")),
    TRAJECTORIES, NOWCASTS, WEEKS, WEEK_SCORES, YEAR_AHEAD,
    _like(
        FORECASTS, "backtest", "The ensemble's forecasts at past origins.", "forecasting.ensemble", "dashboard",
        "reports",
        **_MARKS,
    ),
    REPLAYS, FIGURES_THEN, SCORES, CALIBRATION, WEIGHTS, ATTRIBUTION, GROUP_ERRORS, SITUATION_SCORES,
    replace(DRIVER_TESTS, columns=DRIVER_TESTS.columns | _PROVENANCE),
    OBSERVATIONS,
    _like(
        OBSERVATIONS, "outcomes", "Values of routes that were not known on the release's date yet: what came after it.",
        "nightly", "dashboard",
    ),
    ROUTES, FRESHNESS, FRESHNESS_CHANGES, DELAYS, REPORTING, REVISIONS, EDITIONS, REJECTED,
    replace(ALERTS, columns=ALERTS.columns | _REASON),
    _like(
        ALERTS, "ended_alerts", "Alerts of the former release that no longer hold.", "alerts.rules", "dashboard",
        "reports", "decisions", **_REASON,
    ),
    ISSUED_SCORES, TRACK_RECORD,
    _like(
        TRACK_RECORD, "track_record_comparison", "The same for simple alternatives, on the same months.",
        "alerts.verification", "dashboard", against=_text("the alternative"),
    ),
    ALERT_THRESHOLDS, ALERT_RELIABILITY, DOCUMENTED_RISES, EVENTS,
    Table(
        "asylum_series", "Every series of asylum applications and whether it is forecast.",
        _of("series_id target freq geo citizen state last_period origin_date note"),
        ("series_id",), "nightly.asylum", ("dashboard", "reports"),
    ),
    _like(
        FORECASTS, "asylum_forecasts", "Asylum applications ahead, by country of destination and largest corridors.",
        "nightly.asylum", "dashboard", "reports", "nightly", **_MARKS,
        **_of("target freq geo citizen as_of"),
    ),
    _like(REPLAYS, "asylum_replays", "The same at past origins.", "nightly.asylum", "dashboard"),
    _like(
        SCORES, "asylum_scores", "Mean scores of forecasts of asylum applications.", "nightly.asylum", "dashboard",
        **_of("target freq"),
    ),
    _like(
        FORECASTS, "reception_forecasts",
        "People in reception at the ends of the periods ahead: countries, and regions and kinds of centre that sum to "
        "them. `horizon` counts months or, for a quarterly stock, quarters.",
        "nightly.reception", **_of("freq as_of"),
    ),
    _like(FORECASTS, "reception_backtest", "The same at past origins.", "nightly.reception"),
    replace(
        _like(
            SCORES, "reception_scores",
            "Mean scores of forecasts of people in reception relative to persistence with its own past errors "
            "(`vigie-baseline`) and, for countries, to damped smoothing (`vigie-damped`), ARIMA (`vigie-arima`) and a "
            "state space on the change (`vigie-state-space`), on the same forecasts.",
            "nightly.reception", "dashboard", reference=_text("what it is measured against"),
        ),
        key=(*SCORES.key, "reference"),
    ),
    RECEPTION_NEEDS,
    HUB_MODELS, HUB_EDITIONS, HUB_FORECASTS, HUB_SCORES,
)  # fmt: skip
"""Every table of a release."""
CATALOGUE = "sources.json"
"""Document of a release with the card of every source."""
RELEASE: dict[str, Table] = {table.name: table for table in TABLES}
REQUIRED: tuple[str, ...] = tuple(table.name for table in TABLES if table.required)
"""Tables that every release holds."""
