"""What a browser should fetch at once although the page asks for it late: the parts that draw charts and texts.

Streamlit's page loads the part that draws charts, by far its largest, only when the first chart arrives. A browser that
is told beforehand fetches and compiles it while the server works the page out.
"""

from __future__ import annotations

from pathlib import Path

from dashboard.kept_files import ADDRESS, FOLDER

_EVERY_PAGE = ("js/StreamlitMarkdown.*.js", "media/SourceSerifVariable-Roman.*.woff2")
_CHARTS = ("js/PlotlyChart.*.js", "js/arrowFormatUtils.*.js")


def links(*, charts: bool) -> str:
    """The value of a ``Link`` header; empty where Streamlit's files are named otherwise.

    Args:
        charts: Whether the page draws charts.
    """
    patterns = (*_EVERY_PAGE, *_CHARTS) if charts else _EVERY_PAGE
    found = [path for pattern in patterns for path in sorted(FOLDER.glob(pattern))]
    return ", ".join(_link(path) for path in found)


def _link(path: Path) -> str:
    address = f"<{ADDRESS}{path.parent.name}/{path.name}>"
    if path.suffix == ".js":
        return f"{address}; rel=modulepreload; crossorigin"
    return f'{address}; rel=preload; as=font; type="font/woff2"; crossorigin'
