"""The dashboard: page, language and navigation. Start it with ``vigie dashboard`` or ``streamlit run app.py``."""

from __future__ import annotations

import streamlit as st

from core.settings import PROJECT
from dashboard import state
from dashboard.i18n import _, choose_language, languages
from dashboard.layout import PAGES

st.set_page_config(
    page_title="Vigie",
    page_icon=str(PROJECT / "dashboard" / "assets" / "favicon.png"),
    layout="wide",
    initial_sidebar_state="collapsed",
)
state.choice("lang", languages(), choose_language(None, st.context.locale))
page = st.navigation(
    [
        st.Page(f"{PAGES}/overview.py", title=_("Overview"), url_path="start", default=True),
        st.Page(f"{PAGES}/route.py", title=_("Route"), url_path="route"),
        st.Page(f"{PAGES}/alerts.py", title=_("Alerts"), url_path="alerts"),
        st.Page(f"{PAGES}/scenarios.py", title=_("Scenarios"), url_path="scenarios"),
        st.Page(f"{PAGES}/evaluation.py", title=_("Evaluation"), url_path="evaluation"),
        st.Page(f"{PAGES}/data.py", title=_("Data"), url_path="data"),
        st.Page(f"{PAGES}/method.py", title=_("Method"), url_path="method"),
        # Streamlit answers the default page at / only; this one makes /overview work too.
        st.Page(f"{PAGES}/overview.py", title=_("Overview"), url_path="overview", visibility="hidden"),
    ],
    position="top",
)
page.run()
