"""The colours that pages, mails, pictures and the briefing share, and the dark ones of what is read on a screen."""

from __future__ import annotations

from typing import NamedTuple


class Hue(NamedTuple):
    """One colour in its three uses: text, ground of a badge, and fill of a mark or arrow."""

    text: str
    ground: str
    fill: str


PAPER, SCREEN = "#FFFFFF", "#FBFBF9"
"""Grounds: of the briefing, and of pages and pictures."""
INK, SECONDARY, HAIRLINE, GRID, ACCENT = "#0E1B22", "#51626B", "#D9DFE0", "#E3E8E8", "#0F5C6E"
OBSERVED, FAN, MEDIAN, NEUTRAL = "#22333B", "#1F6F8B", "#0B4A5E", "#4F6570"
FAN_OPACITY = (0.14, 0.20, 0.30)
"""Of the bands from the widest to the narrowest, drawn over each other."""
SEA, LAND, RECEIVING, BORDER = "#EDF2F3", "#DFE4E1", "#B9C8C3", "#F7F9F8"
REPLAY, ENDED = Hue("#4A4A86", "#ECECF7", "#6E6EB0"), Hue("#51626B", "#EDF0F0", "#6B7B84")
LEVELS = {
    "watch": Hue("#765600", "#FBF1CF", "#E0AE2B"),
    "warning": Hue("#98400A", "#FCE6D6", "#C9621F"),
    "severe": Hue("#861A43", "#F8E1E9", "#861A43"),
    "information": Hue("#0F5C6E", "#E3F0F3", "#1F6F8B"),
}
LIGHT = {
    "ground": SCREEN, "ink": INK, "secondary": SECONDARY, "hairline": HAIRLINE, "grid": GRID, "accent": ACCENT,
    "observed": OBSERVED, "fan": FAN, "median": MEDIAN, "neutral": NEUTRAL, "sea": SEA, "land": LAND,
    "receiving": RECEIVING, "border": BORDER,
}  # fmt: skip
DARK = {
    "ground": "#10191E", "ink": "#E6ECEE", "secondary": "#A3B3BA", "hairline": "#2C3B43", "grid": "#25333A",
    "accent": "#6CC0D3", "observed": "#DCE5E8", "fan": "#5BB3CC", "median": "#B9E4EE", "neutral": "#93A8B1",
    "sea": "#14212A", "land": "#26343B", "receiving": "#35474F", "border": "#14212A",
}  # fmt: skip
"""Colours of a screen by their use."""
DARK_LEVELS = {
    "watch": Hue("#F2CF6B", "#3A3013", "#F2CF6B"),
    "warning": Hue("#F5A56B", "#40260F", "#E98A45"),
    "severe": Hue("#F59ABB", "#451628", "#E0588B"),
    "information": Hue("#8FD0E0", "#12303A", "#5BB3CC"),
}
DARK_REPLAY, DARK_ENDED = Hue("#BDBDF0", "#2A2A48", "#8C8CD0"), Hue("#A3B3BA", "#202D34", "#8798A0")
