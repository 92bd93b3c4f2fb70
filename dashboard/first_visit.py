"""What a browser is told once: what Vigie is for, then three hints. A cookie remembers what has been read."""

from __future__ import annotations

import streamlit as st

from dashboard.i18n import _, lang
from reports import citations

COOKIE = "vigie_seen"
"""Set by ``assets/page.js`` at a click on a button below: how many steps have been read."""
_SEEN = "first visit:seen"
LAST = 4
"""The purpose, then three hints."""


def hints() -> list[str]:
    """What is worth knowing at once."""
    return [
        _("Cards, names on the map and rows lead to their alert or route. The address keeps the view: send it on."),
        _("“Expected” is the middle of what may come. In 8 cases of 10 the count falls inside the 80% interval."),
        _("“As known on” goes back in time. Press ? for the keys."),
    ]


def show() -> None:
    """The next step that this browser has not read yet; nothing once all are read."""
    seen = st.session_state.get(_SEEN)
    if seen is None:
        kept = str(st.context.cookies.get(COOKIE, ""))
        seen = int(kept) if kept.isdigit() else 0
    if seen >= LAST:
        return
    with st.container(key="first-visit", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap=None):
            if seen == 0:
                intended, not_for = citations.caveats(lang())[-2:]
                st.markdown(f":small[**{intended}** {not_for}]")
            else:
                count = _("Hint {n} of {total}").format(n=seen, total=LAST - 1)
                st.markdown(f":small[**{count}** · {hints()[seen - 1]}]")
        step(_("I have read this") if seen == 0 else _("Next hint") if seen + 1 < LAST else _("Done"), seen + 1)
        if 0 < seen < LAST - 1:
            step(_("No more hints"), LAST)


def step(label: str, upto: int) -> None:
    """A button that remembers how many steps have been read."""
    st.button(label, type="tertiary", on_click=_remember, args=(upto,), key=f"seen-{upto}")


def _remember(upto: int) -> None:
    st.session_state[_SEEN] = upto
