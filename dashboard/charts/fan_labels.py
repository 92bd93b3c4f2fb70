"""The words on a fan chart, and the lines they belong to. Each returns plotly annotations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from core.quantiles import interval_levels
from dashboard.charts.axes import LABEL_PIXELS, Annotation, dated, mid_month, note, quantile, spread, unit_label
from dashboard.i18n import _, labelled, lang
from dashboard.theme import Theme, halo

CHANCE_MONTHS, CHANCE_PIXELS = 3, 34
SHORTEST_BAR = 0.12
"""Share of the chart that the words over a bar of the skill strip take."""
Annotations = list[Annotation]


def end_labels(forecast: pd.DataFrame, largest: float, per_pixel: float, theme: Theme) -> Annotations:
    """What each band means, in words, at the right end, moved apart where bands are narrow.

    Where the 95 % band leaves the chart at the top, its highest value is told under its words.
    """
    upper = [(coverage, interval_levels(coverage)[1]) for coverage in (0.5, 0.8, 0.95)]
    ends = {level: min(quantile(forecast, level).iloc[-1], largest) for _coverage, level in upper}
    median = quantile(forecast, 0.5)
    words = {0.5: _("1 in 2"), 0.8: _("4 in 5"), 0.95: _("19 in 20")}
    texts = [_("<b>median {value}</b>").format(value=lang().expected(median.iloc[-1]))]
    texts += [labelled(lang().percent(coverage), words[coverage]) for coverage, _level in upper]
    wanted = [median.iloc[-1], *ends.values()]
    highest = quantile(forecast, upper[-1][1]).max()
    if highest > largest:
        texts.insert(-1, _("up to {value} ↑").format(value=lang().expected(highest)))
        wanted.insert(-1, wanted[-1] - LABEL_PIXELS * per_pixel)
    places = spread(wanted, LABEL_PIXELS * per_pixel)
    inks = [theme.median, *[theme.secondary] * (len(texts) - 1)]
    return [
        note(theme, text, x=median.index[-1], y=place, xanchor="left", yanchor="middle", xshift=10, font={"color": ink})
        for text, place, ink in zip(texts, places, inks, strict=True)
    ]


def unit_and_now(figure: go.Figure, unit: str, now: dt.date, theme: Theme) -> Annotations:
    """The unit at the top left, and a line at the date of knowledge with that date on top."""
    when = pd.Timestamp(now)
    figure.add_shape(
        type="line", x0=when, x1=when, y0=0, y1=1, yref="paper", line={"color": theme.secondary, "width": 1}
    )
    date = f"<b>{lang().day_short(now)}</b>"
    above = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4, "font": {"color": theme.secondary}}
    return [unit_label(theme, unit), note(theme, date, x=when, xanchor="center", **above)]


def provisional_label(months: pd.DataFrame, theme: Theme) -> Annotations:
    """The word beside the newest provisional month."""
    provisional = months[months["flag"].eq("p") & months["value"].notna()]
    if provisional.empty:
        return []
    last = provisional.iloc[-1]
    place = {"x": provisional.index[-1], "y": last["value"], "xanchor": "right", "yanchor": "top"}
    return [note(theme, _("provisional"), xshift=-8, yshift=-3, **place)]


def earlier_label(earlier: pd.DataFrame, theme: Theme) -> Annotations:
    """The words above the highest of the earlier forecasts, to its left: to the right stands the line of today."""
    if earlier.empty:
        return []
    highest = earlier.iloc[int(earlier["q90"].astype(float).to_numpy().argmax())]
    place = {"x": mid_month(pd.Series([highest["target_end_date"]])).iloc[0], "y": highest["q90"]}
    ink = {"color": theme.replay.text}
    text = _("earlier forecasts")
    return [note(theme, text, xanchor="right", xshift=8, yanchor="bottom", yshift=3, font=ink, **place)]


def outcome_label(outcomes: pd.DataFrame | None, theme: Theme) -> Annotations:
    """The words beside the last outcome of a replay."""
    if outcomes is None or outcomes.empty:
        return []
    last = outcomes.iloc[-1]
    place = {"x": mid_month(pd.Series([last["time_period_end"]])).iloc[0], "y": last["value"], "xanchor": "left"}
    ink = {"color": theme.ink}
    return [note(theme, _("what happened next"), yanchor="bottom", xshift=8, yshift=-4, font=ink, **place)]


def running_label(running: pd.DataFrame | None, theme: Theme) -> Annotations:
    """The words beside what the running month has brought so far."""
    if running is None or running.empty:
        return []
    row = running.iloc[0]
    place = {"x": mid_month(pd.Series([row["target_end_date"]])).iloc[0], "y": row["so_far"], "xanchor": "left"}
    text = _("{value} so far").format(value=lang().counted(row["so_far"]))
    return [note(theme, text, yanchor="top", xshift=8, yshift=2, font={"color": theme.ink}, **place)]


def threshold_line(
    figure: go.Figure, threshold: float, *, first: pd.Timestamp, largest: float, theme: Theme
) -> Annotations:
    """The reader's number as a dashed line; where it lies far above everything, the words alone."""
    text = _("your number: {value}").format(value=lang().counted(threshold))
    place = {"x": first, "xanchor": "left", "yanchor": "bottom", "font": {"color": theme.ink}}
    if threshold > largest:
        return [note(theme, _("{text}, above this chart ↑").format(text=text), y=largest, **place | {"yanchor": "top"})]
    line = {"color": theme.ink, "width": 1.2, "dash": "6px,4px"}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=threshold, y1=threshold, line=line)
    return [note(theme, text, y=threshold, yshift=1, **place)]


def chance_labels(
    figure: go.Figure, chances: pd.DataFrame | None, threshold: float, per_pixel: float, theme: Theme
) -> Annotations:
    """The chances to pass the reader's number, in bold on its line.

    The highest always shows; the others only where a few months are wide enough for them.
    """
    if chances is None or chances.empty:
        return []
    (month, highest), *rest = _well_apart(chances)
    end = mid_month(chances["target_end_date"]).max()
    others = [point for point in rest if (end - point[0]).days > 20]
    texts = {month: f"<b>{lang().percent(chance)}</b>" for month, chance in others}
    width, place = pd.Timedelta(days=CHANCE_MONTHS * 30), (threshold, CHANCE_PIXELS * per_pixel)
    figure.add_trace(_words_that_fit(texts, width, place, theme.ink, theme, name="chances"))
    text = _("<b>{chance}</b> above").format(chance=lang().percent(highest))
    ink = {"color": theme.ink}
    side = "right" if (end - month).days < 45 else "center"
    return [note(theme, text, x=month, y=threshold, xanchor=side, yanchor="bottom", yshift=1, font=ink)]


def _words_that_fit(
    texts: Mapping[pd.Timestamp, str],
    width: pd.Timedelta,
    place: tuple[float, float],
    ink: str,
    theme: Theme,
    *,
    name: str,
) -> go.Bar:
    """Words in unseen bars: plotly hides a text that does not fit its bar, so that nothing overlaps on a phone.

    Args:
        texts: Words by the middle of their bar.
        width: Width of each bar.
        place: Foot and height of the bars, persons.
        ink: Colour of the words.
        theme: Colours.
        name: Name of the layer.
    """
    foot, height = place
    return go.Bar(
        x=list(texts),
        y=[height] * len(texts),
        base=foot,
        width=width / pd.Timedelta(milliseconds=1),
        text=list(texts.values()),
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        textfont={"size": 12, "color": ink, "shadow": halo(theme.ground)},
        marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        hoverinfo="skip",
        name=name,
    )


def _well_apart(chances: pd.DataFrame) -> list[tuple[pd.Timestamp, float]]:
    """The highest chance, then later to earlier months that keep their distance from all chosen before.

    The highest carries a word beside its figure and keeps twice the distance.
    """
    points = dated(chances.assign(month=mid_month(chances["target_end_date"])).set_index("month")["probability"])
    highest = max(points, key=lambda point: point[1])
    kept = [highest]
    for month, chance in sorted(points, reverse=True):
        apart = [abs((month - other).days) / 29 for other, _chance in kept]
        if apart[0] >= 2 * CHANCE_MONTHS and min(apart) >= CHANCE_MONTHS:
            kept.append((month, chance))
    return kept


def skill_strip(
    figure: go.Figure,
    targets: pd.DatetimeIndex,
    now: dt.date,
    better: tuple[int, int],
    shown: pd.Timedelta,
    room: tuple[float, float],
    theme: Theme,
) -> Annotations:
    """A bar under the top edge: the months in which the forecast beats the baseline, and those in which it does not.

    Args:
        figure: The chart, which gets the bars.
        targets: Months ahead, at mid-month.
        now: Date of knowledge.
        better: First and last of the months ahead with skill; none where the last is 0.
        shown: Time from the left end of the chart to the right one.
        room: Foot and height of the place for words under the bars, persons.
        theme: Colours.
    """
    ends = targets.to_period("M").end_time.normalize()
    stop, gap = targets[-1] + pd.Timedelta(days=2), pd.Timedelta(days=2)
    first, last = better
    turn = min(ends[min(last, len(ends)) - 1], stop) if last > 0 else pd.Timestamp(now)
    start = pd.Timestamp(now) if turn >= pd.Timestamp(now) else targets[0]
    labels: Annotations = []
    place = {"y": 1, "yref": "paper", "yanchor": "top", "yshift": -8}
    if last > 0 and first > 1 and len(ends) >= first:
        before, start = start, max(start, ends[first - 2])
        if start > before:
            _bar(figure, before + gap, start, theme.ended.fill)
    if turn > start:
        _bar(figure, start + gap, turn, theme.fan)
        text = _("better than<br>baseline")
        if turn - start > SHORTEST_BAR * shown:
            middle = {start + (turn - start) / 2: text}
            figure.add_trace(_words_that_fit(middle, turn - start, room, theme.secondary, theme, name="skill"))
        else:
            # Under so short a bar the text would run across the line of today.
            labels.append(note(theme, text, x=start, xanchor="right", xshift=-6, **place) | {"align": "right"})
    if turn < stop:
        _bar(figure, turn + gap, stop, theme.ended.fill)
        text = _("no better than<br>the baseline")
        labels.append(note(theme, text, x=turn + gap, xanchor="left", xshift=2, **place))
    return labels


def _bar(figure: go.Figure, start: pd.Timestamp, stop: pd.Timestamp, colour: str) -> None:
    line = {"color": colour, "width": 3}
    figure.add_shape(type="line", x0=start, x1=stop, y0=0.99, y1=0.99, yref="paper", line=line)
