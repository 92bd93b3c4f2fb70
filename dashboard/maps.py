"""The flow map: one tapered arrow per route on plain filled shapes.

Drawn with ordinary scatter traces in kilometres. Plotly's own map types would ask another host for shapes or tiles, and
government networks block that.
"""

from __future__ import annotations

import html
import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from core.routes import DEFAULT_REGION, receiving, region_of
from core.settings import SNAPSHOT
from dashboard import _, labelled, lang, listed
from dashboard.charts import Annotation, Row
from dashboard.theme import Theme, halo, level_label, template, with_opacity
from geo import (
    MAPS,
    NARROWEST_KM,
    UPPER_OPACITY,
    FloatArray,
    arrow_of,
    arrow_width,
    centre_line,
    curve,
    is_placed,
    km_per_person,
    label_place,
    load_shapes,
    outline,
    tapered_arrow,
)
from reports.names import LEVEL_MARKS, in_unit

HEIGHT = 306
LONGEST_LINE = 16
"""Letters of a name on one line of its label."""
Coordinates = npt.NDArray[np.float64]
Outline = tuple[Coordinates, Coordinates]
"""Points of one or more rings, kilometres; a point that is no number parts two rings. Metres do not matter here."""


def flow_map(routes: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw what is expected per route of one region.

    Args:
        routes: Routes of one region: columns ``route_id``, ``name``, ``median``, ``lower10`` and ``upper90`` (empty
            without a forecast), ``alert_level`` and ``direction`` (empty without an alert), ``label`` (text after the
            level; empty: the median) and, where its name is to lead somewhere, ``link``.
        theme: Colours.

    Returns:
        A figure that asks no other host for anything. Widths are linear in persons and one scale holds for all arrows.
    """
    figure = go.Figure()
    region = next((region_of(route_id) for route_id in routes["route_id"] if is_placed(route_id)), DEFAULT_REGION)
    for countries, fill in zip(_countries(region), (theme.land, theme.receiving), strict=True):
        figure.add_trace(_shape(countries, fill=fill, line={"color": theme.border, "width": 0.8}))
    scale = km_per_person(routes["median"], routes["upper90"])
    for row in routes.sort_values("median", ascending=False).to_dict("records"):
        if is_placed(row["route_id"]):
            figure.add_traces(_arrow(row, scale, theme))
            figure.add_annotation(_label(row, theme))
    (west, east), (south, north) = MAPS[region].frame
    figure.update_layout(
        template=template(theme),
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        plot_bgcolor=theme.sea,
        hovermode="closest",
        xaxis={"range": [west, east], "visible": False, "constrain": "range"},
        yaxis={"range": [south, north], "visible": False, "scaleanchor": "x", "showgrid": False},
    )
    return figure


def map_alt(routes: pd.DataFrame) -> str:
    """The map in words: every route with its figure and alert, the largest flow first."""
    parts = []
    for row in routes.sort_values("median", ascending=False).to_dict("records"):
        level = f" ({_level(row)})" if row["alert_level"] else ""
        parts.append(labelled(row["name"], f"{_figure(row)}{level}"))
    return _("Map of routes with arrivals expected. {routes}.").format(routes=listed(parts))


@lru_cache(maxsize=len(MAPS))
def _countries(region: str) -> tuple[Outline, Outline]:
    """Outlines of all other countries, and of those where people arrive."""
    shapes = load_shapes(SNAPSHOT, region)
    receives = shapes["geo"].isin(receiving(region))
    return _as_arrays(outline(shapes[~receives])), _as_arrays(outline(shapes[receives]))


def _as_arrays(points: tuple[list[float | None], list[float | None]]) -> Outline:
    x, y = (np.array(values, dtype=float).round() for values in points)
    return x, y


def _shape(points: Outline, *, fill: str, line: dict[str, Any]) -> go.Scatter:
    x, y = points
    return go.Scatter(x=x, y=y, mode="lines", fill="toself", fillcolor=fill, line=line, hoverinfo="skip")


def _arrow(row: Row, scale: float, theme: Theme) -> list[go.Scatter]:
    """The pale arrow of the 90 % quantile, the arrow of the median over it, and points that carry the hover text."""
    path = curve(*centre_line(row["route_id"]))
    level = theme.level(row["alert_level"]) if row["alert_level"] else None
    colour = level.fill if level else theme.neutral
    if math.isnan(row["median"]):
        hollow = _shape(_ring(path, NARROWEST_KM), fill="rgba(0,0,0,0)", line={"color": colour, "width": 1})
        return [hollow, _hover_points(path, row, colour)]
    edge = {"color": level.text if level and row["alert_level"] == "watch" else colour, "width": 1}
    solid = _shape(_ring(path, arrow_width(row["median"], scale)), fill=colour, line=edge)
    if math.isnan(row["upper90"]):
        return [solid, _hover_points(path, row, colour)]
    upper = max(arrow_width(row["upper90"], scale), arrow_width(row["median"], scale))
    pale = _shape(_ring(path, upper), fill=with_opacity(colour, UPPER_OPACITY), line={"width": 0})
    return [pale, solid, _hover_points(path, row, colour)]


def _ring(path: FloatArray, width_km: float) -> Outline:
    x, y = tapered_arrow(path, width_km).round(1).T
    return x, y


def _hover_points(path: FloatArray, row: Row, colour: str) -> go.Scatter:
    lines = [f"<b>{row['name']}</b>", _figure(row)]
    if row["alert_level"]:
        lines.append(_level(row))
    points = path[4::7].round(1)
    return go.Scatter(
        x=points[:, 0].tolist(),
        y=points[:, 1].tolist(),
        mode="markers",
        marker={"size": 22, "opacity": 0, "color": colour},
        hovertemplate="<br>".join(lines) + "<extra></extra>",
    )


def _label(row: Row, theme: Theme) -> Annotation:
    x, y = label_place(row["route_id"])
    align = arrow_of(row["route_id"]).align
    figure = row["label"] or lang().expected(row["median"])
    if level := row["alert_level"]:
        # The word would not fit on a phone, and its direction beside the change on the year before would contradict it.
        figure = f"<b><span style='color:{theme.level(level).text}'>{LEVEL_MARKS[level]}</span></b> {figure}"
    name = f"<b>{_in_lines(row['name'])}</b>"
    if link := row.get("link"):
        name = f'<a href="{html.escape(link)}" target="_self" style="color:{theme.ink}">{name}</a>'
    return {
        "x": x,
        "y": y,
        "text": f"{name}<br>{figure}",
        "showarrow": False,
        "xanchor": align,
        "yanchor": "middle",
        "align": align,
        "font": {"size": 13, "color": theme.ink, "shadow": halo(theme.land)},
    }


def _in_lines(name: str) -> str:
    """A long name on two lines of like length; a stroke stays on the first."""
    gaps = [place for place, sign in enumerate(name) if sign == " " and name[place + 1] != "/"]
    if len(name) <= LONGEST_LINE or not gaps:
        return name
    middle = min(gaps, key=lambda place: max(place, len(name) - place))
    return f"{name[:middle]}<br>{name[middle + 1 :]}"


def _level(row: Row) -> str:
    return f"{level_label(row['alert_level'])} {row.get('direction', '')}".strip()


def _figure(row: Row) -> str:
    if math.isnan(row["median"]):
        return str(row["label"]) or _("no forecast")
    median = lang().expected(row["median"])
    text = in_unit(_("{median} {unit} expected"), row["route_id"], lang(), median=median)
    if math.isnan(row["upper90"]):
        return text
    text_with_range = _("{figure}, 80% interval {interval}")
    return text_with_range.format(figure=text, interval=lang().interval_words(row["lower10"], row["upper90"]))
