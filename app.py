"""The dashboard: page, language and navigation. Start it with ``vigie dashboard`` or ``streamlit run app.py``."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import access, sign_in, state
from dashboard.i18n import _, choose_language, languages
from dashboard.layout import PAGES

st.set_page_config(page_title="Vigie", page_icon=access.page_icon(), layout="wide", initial_sidebar_state="collapsed")
state.choice("lang", languages(), choose_language(None, st.context.locale))
sign_in.stand_at_the_door()
pages = {
    "overview": partial(st.Page, f"{PAGES}/overview.py", title=_("Overview"), url_path="start", default=True),
    "route": partial(st.Page, f"{PAGES}/route.py", title=_("Route"), url_path="route"),
    "asylum": partial(st.Page, f"{PAGES}/asylum.py", title=_("Asylum"), url_path="asylum"),
    "alerts": partial(st.Page, f"{PAGES}/alerts.py", title=_("Alerts"), url_path="alerts"),
    "scenarios": partial(st.Page, f"{PAGES}/scenarios.py", title=_("Scenarios"), url_path="scenarios"),
    "evaluation": partial(st.Page, f"{PAGES}/evaluation.py", title=_("Evaluation"), url_path="evaluation"),
    "data": partial(st.Page, f"{PAGES}/data.py", title=_("Data"), url_path="data"),
    "method": partial(st.Page, f"{PAGES}/method.py", title=_("Method"), url_path="method"),
    "access": partial(st.Page, f"{PAGES}/access.py", title=_("Access"), url_path="access"),
}
# Streamlit answers the default page at / only; this one makes /overview work too.
overview = st.Page(f"{PAGES}/overview.py", title=_("Overview"), url_path="overview", visibility="hidden")
page = st.navigation([*access.pages_for(pages), overview], position="top")
sign_in.show_person()
sign_in.show_page(page)
