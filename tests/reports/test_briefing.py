"""What the briefing says."""

from __future__ import annotations

from typing import Any

import pandas as pd

from alerts.lifecycle import State
from core.errors import Message
from core.languages import Language
from core.routes import ROUTES
from forecasting.scenarios import Needs
from reports import Decisions, LoadedRelease, Reception
from reports.briefing import _alerts_in_words, _fan, briefing_data
from reports.names import route_name

from .conftest import MakeRelease, alert_row, record_of_rules

PROPOSED, SIGNED, DISMISSED = "rule_0.CMR", "rule_1.EMR", "rule_2.WMR"
STATES = {PROPOSED: State("proposed", "severe"), SIGNED: State("signed off"), DISMISSED: State("dismissed")}


def first_page(
    release: LoadedRelease, former: LoadedRelease | None = None, decisions: Decisions | None = None, code: str = "en"
) -> dict[str, Any]:
    return dict(briefing_data(release, former, Language(code), decisions or Decisions())["first"])


def said(page: dict[str, Any]) -> str:
    """Every text that names an alert."""
    alerts = " ".join(f"{row['subject']} {row['sentence']}" for row in page["alerts"]["rows"])
    return " ".join([page["title"], page["summary"], alerts, *page["changes"]["items"], page["sources"]])


def with_alert(page: dict[str, Any]) -> list[str]:
    return [row["name"] for row in page["routes"]["rows"] if row["level"]]


def test_total_adds_routes_path_by_path(make_release: MakeRelease) -> None:
    # Three months of 1,000 and of 2,000; five paths that move together, 600 apart.
    content = first_page(make_release(2))
    assert content["title"] == "9,000 arrivals expected in February–April 2025"
    assert "On 2 routes together: 80% interval 8,000 to 10,000." in content["summary"]


def test_double_counted_routes_are_in_no_total(make_release: MakeRelease) -> None:
    content = first_page(make_release(["CMR", "WBR"]))
    assert content["title"].startswith("3,000 arrivals")
    assert [row["cells"][0] for row in content["routes"]["rows"]] == ["6,000", "3,000"]


def test_year_before_is_count_of_same_months(make_release: MakeRelease) -> None:
    content = first_page(make_release(1))
    # January 2023 is the first month: February to April 2024 are the places 13 to 15.
    before = 3 * 1000 + 7 * (13 + 14 + 15)
    said = f"A year earlier: {before:,} counted (forecast {3000 / before - 1:+.0%})."
    assert said.replace("-", "−") in content["summary"]


def test_without_count_for_each_month_no_year_before_is_claimed(make_release: MakeRelease) -> None:
    release = make_release(1)
    known = release.frame("observations")
    content = first_page(release.with_frame("observations", known[known["time_period"] != "2024-03"]))
    assert "a year earlier" not in content["summary"]


def test_route_without_forecast_says_why_and_is_in_no_total(make_release: MakeRelease) -> None:
    content = first_page(make_release(2, without=["EMR"]))
    assert content["title"].startswith("3,000 arrivals")
    (fans,) = content["fans"]["rows"]
    assert fans[1]["label"] == "figures end in December 2024: no forecast"
    assert "median" not in fans[1]["low"]["svg"].split("</style>")[1]


def test_chart_shows_two_years_counted_and_half_year_ahead(make_release: MakeRelease) -> None:
    release = make_release(1)
    months = pd.period_range("2021-01", "2024-12", freq="M").astype(str)
    counted = release.frame("observations").iloc[:1].merge(pd.DataFrame({"time_period": months}), how="cross")
    counted = counted.drop(columns="time_period_x").rename(columns={"time_period_y": "time_period"})
    near = release.frame("forecasts")
    later = near.assign(horizon=near["horizon"] + 6, target_end_date=near["target_end_date"] + pd.offsets.MonthEnd(6))
    longer = release.with_frame("observations", counted).with_frame("forecasts", pd.concat([near, later]))
    _texts, fan = _fan(longer, {"route_id": "CMR", "expected": 3_000.0}, Language())
    ends = pd.date_range("2023-01-31", periods=30, freq="ME")
    assert [*fan.history["end_date"], *fan.quantiles.index] == [*ends]


def test_up_to_four_alert_routes_are_named() -> None:
    for count, others in ((4, ""), (5, " and 1 more"), (9, " and 5 more")):
        alerts = pd.DataFrame([alert_row(number, list(ROUTES)) for number in range(count)])
        sentence = _alerts_in_words(alerts, record_of_rules(count), Language(), signed_only=False)
        assert sentence.count("(") == 4
        assert sentence.endswith(f"){others}.")


def test_every_alert_has_its_sentence_chance_record_and_status(make_release: MakeRelease) -> None:
    row = first_page(make_release(), decisions=Decisions(STATES))["alerts"]["rows"][0]
    said = (
        "Rather likely (62%) to reach 5,000, 1.5× the 12-month mean, in any month of February–April 2025. "
        "(usually 39%, alert from 43%)"
    )
    assert (row["badge"], row["sentence"]) == ("◆ Severe", said)
    assert (row["chance"], row["record"]) == ("62%", "12 of 20 such alerts came true, all routes")
    assert (row["dots"], row["status"]) == ("", "waits for sign-off")


def test_dismissed_alert_is_counted_but_neither_listed_nor_drawn(make_release: MakeRelease) -> None:
    content = first_page(make_release(), decisions=Decisions(STATES))
    both = ["Central Mediterranean", "Eastern Mediterranean"]
    assert [row["subject"] for row in content["alerts"]["rows"]] == both
    assert "1 was dismissed." in content["alerts"]["note"]
    assert sorted(with_alert(content)) == both


def test_outside_copy_names_only_signed_alerts(make_release: MakeRelease) -> None:
    former = make_release(5, 0)
    content = first_page(make_release(), former, Decisions(STATES, signed_only=True))
    assert [row["subject"] for row in content["alerts"]["rows"]] == ["Eastern Mediterranean"]
    assert "Central Mediterranean" not in said(content) and "Western Mediterranean" not in said(content)
    assert with_alert(content) == ["Eastern Mediterranean"]
    assert content["alerts"]["note"].startswith("2 more were proposed by rules")


def test_end_is_reported_outside_only_where_its_beginning_was(make_release: MakeRelease) -> None:
    release = make_release(5, 0)
    former = release.with_frame("alerts", pd.DataFrame([alert_row(0, ["BSR"])]))
    outside = Decisions({}, frozenset({"rule_0.BSR"}), signed_only=True)
    ended, nothing = ["Severe has ended: Black Sea"], ["Nothing has changed."]
    for decisions, items in ((outside, ended), (Decisions(signed_only=True), nothing)):
        assert first_page(release, former, decisions)["changes"]["items"] == items


def test_late_missing_and_unsettled_figures_are_said(make_release: MakeRelease) -> None:
    fewer = "Fewer routes have a forecast than on 2025-01-31: 4 of 5."
    degraded = (
        Message(fewer).record("vigie-routes", lost="BSR"),
        Message("no answer").record("a_bureau"),
        {"source_id": "vigie-routes", "route_id": "BSR", "reason": "too old"},
    )
    release = make_release(1, degraded=degraded)
    flagged = release.frame("observations").assign(obs_flag="p")
    limits = first_page(release.with_frame("observations", flagged))["limits"]["items"]
    assert limits[:5] == [
        fewer,
        "This release was made without: A bureau.",
        "No forecast of the present, for want of recent figures: Black Sea.",
        "Figures are late from: A bureau.",
        "The newest month is provisional or estimated for: Central Mediterranean.",
    ]


def test_sources_behind_figures_are_cited_and_no_others(make_release: MakeRelease) -> None:
    cited = first_page(make_release())["sources"]
    assert "A ministry, arrivals. Licence: CC BY 4.0." in cited
    assert "A bureau" not in cited


def test_page_of_places_names_keepers(make_release: MakeRelease) -> None:
    kept = tuple(
        Reception(route, stock=2_000, needs=Needs(6.0), confidence=0.8, who=f"Planner Number {number} of the Agency")
        for number, route in enumerate([*ROUTES][:9])
    )
    page = briefing_data(make_release(9), None, Language(), Decisions(reception=kept))["places"]
    shown = [row["name"] for row in page["rows"]]
    assert page["more"] == f"and {len(kept) - len(shown)} more: see the dashboard"
    for one in kept:
        assert (route_name(one.route_id, Language()) in shown) == (one.who in page["key"]), one.route_id


def test_uses_and_trace_appear_in_each_language(make_release: MakeRelease) -> None:
    release = make_release()
    for language, word in (("en", "profiling"), ("fr", "profiler")):
        content = first_page(release, code=language)
        assert word in content["uses"]
        assert release.run_id in content["trace"] and release.manifest_hash in content["trace"]
