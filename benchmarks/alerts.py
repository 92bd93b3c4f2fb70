"""Alerts before documented rises on Frontex's routes: ``VIGIE_RAW_DATA=… python -m benchmarks.alerts``.

Writes ``data/events_said.csv``, which releases publish: chances and months, none of Frontex's figures. Cut-offs are
frozen on origins before 2018.
"""

from __future__ import annotations

from alerts import counts_by_series
from alerts.rules.surge import RULE as SURGE
from alerts.verification import freeze, hindcast, part
from benchmarks.routes import dense_parts, dense_routes, hindcasts
from benchmarks.shared import published_files
from core.schema import ALL, make_series_id
from core.settings import SNAPSHOT, AlertSettings
from forecasting import ENSEMBLE
from forecasting.quantiles import to_rows
from ingest.snapshot import SAID, events

SETTINGS = AlertSettings(trained_until="2017-12")
ORIGINS = 172


def main() -> None:
    """Forecast the routes at past origins, judge the rule "surge" and write what it would have said."""
    parts = dense_parts(published_files())
    routes = dense_routes(parts)
    made = hindcasts(parts, origins=ORIGINS, horizons=range(1, hindcast.HORIZONS + 1))
    panel, forecasts = (
        frame.assign(series_id=[make_series_id("detections", name, ALL, ALL, "M") for name in frame["series_id"]])
        for frame in (routes.long(), to_rows(made.where(made.keys["series_id"].isin(routes.series_ids))))
    )
    counts = counts_by_series(panel)
    # A month's figures are published in the month after it.
    past = hindcast.past_forecasts(forecasts, ENSEMBLE, counts, (counts.index[-1] + 1).end_time.date())
    span = part(past.origins, SETTINGS)
    frozen = freeze(hindcast.judge(SURGE, past, counts, SETTINGS), SURGE.costs, span, SETTINGS)
    rises = {card.event_id: (card.route_id, card.month) for card in events(SNAPSHOT) if card.kind == "rise"}
    said = hindcast.retrospective_alerts(rises, past, counts, frozen, span.first_judged, SETTINGS, basis="detections")
    said.round({"chance": 4, "cutoff": 4}).to_csv(SNAPSHOT / SAID, index=False)


if __name__ == "__main__":
    main()
