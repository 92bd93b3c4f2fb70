"""Over the wire, past every page: each request is limited to its role."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.exceptions import InvalidStatus

from access import DOWNLOADED, REFUSED, ROLES, Actor, login_id_of, revoke
from store.journal import Journal, journal_url
from tests.decisions.test_permissions import promised

from .conftest import SESSION_MINUTES, Dashboard
from .wire import COOKIE, DOOR, PATIENCE, Visit, visit

REFUSAL = "Your role does not allow this page"
OF_A_RELEASE = ("Central Mediterranean", "arrivals expected", "surge-")
"""Texts that only a release's figures and alerts bring to the screen."""
FILE_PAGE = ("evaluation", "")


def is_shut_out(texts: str) -> bool:
    return DOOR in texts and not any(text in texts for text in OF_A_RELEASE)


@pytest.fixture
def taken(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Address of a file that an analyst has taken, and the analyst's cookie."""
    cookie = dashboard.cookie("anna", "analyst")
    with visit(dashboard.base, cookie) as one:
        one.open(*FILE_PAGE)
        url, error = one.request_file(one.promised_files()["CSV"])
        assert error == ""
        yield dashboard.base + url, cookie


def get(url: str, cookie: str = "", **headers: str) -> httpx.Response:
    return httpx.get(url, headers={"Cookie": f"{COOKIE}={cookie}", **headers} if cookie else headers, timeout=PATIENCE)


def test_without_login_page_shows_door_and_nothing_else(dashboard: Dashboard) -> None:
    with visit(dashboard.base) as one:
        assert is_shut_out(one.open("route"))


@pytest.mark.parametrize("role", ROLES)
def test_page_is_shown_or_refused_by_role(dashboard: Dashboard, role: str) -> None:
    with visit(dashboard.base, dashboard.cookie(f"{role}-at-page", role)) as one:
        texts = one.open("scenarios")
    assert DOOR not in texts
    assert (REFUSAL not in texts) == promised()["read scenarios"][role]
    refused = [row.payload["about"] for row in dashboard.rows(REFUSED, f"{role}-at-page@")]
    assert refused == ([] if promised()["read scenarios"][role] else ["scenarios"])


def test_account_without_role_sees_nothing_and_is_recorded(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("nora", "chess club")) as one:
        texts = one.open("alerts")
    assert "Your account has no role here" in texts
    assert not any(text in texts for text in OF_A_RELEASE)
    assert dashboard.rows(REFUSED, "nora")


def made_up(dashboard: Dashboard) -> dict[str, str]:
    """Values of ``Cookie`` that name no session that holds."""
    good, other = dashboard.cookie("mallory", "manager"), dashboard.cookie("vera", "viewer")
    old = dashboard.cookie("mallory", "manager", minutes_ago=SESSION_MINUTES + 1)
    claims = json.dumps({"is_logged_in": True, "iss": "x", "sub": "m", "roles": ["manager"], "origin": dashboard.base})
    streamlits = create_signed_value(dashboard.cookie_secret, "_streamlit_user", claims).decode()
    return {
        "guessed": f"{COOKIE}={secrets.token_urlsafe(32)}", "shortened": f"{COOKIE}={good[:-1]}",
        "lengthened": f"{COOKIE}={good}a", "older than a login may be": f"{COOKIE}={old}",
        "the name under which the journal keeps it": f"{COOKIE}={login_id_of(good)}",
        "two sessions at once": f"{COOKIE}={other}; {COOKIE}={good}",
        "one session twice": f"{COOKIE}={good}; {COOKIE}={good}",
        "in parts": f"{COOKIE}={other}; {COOKIE}_1={good}; {COOKIE}__1={good}",
        "half of one and half of another": f"{COOKIE}={other[:20]}{good[20:]}", "rubbish": f"{COOKIE}=%00{{}}",
        "claims signed with our own key": f"_streamlit_user={streamlits}; {COOKIE}=",
        "under the name of another place": f"__Host-{COOKIE}={good}",
    }  # fmt: skip


def test_what_names_no_session_that_holds_opens_nothing(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    for kind, sent in made_up(dashboard).items():
        with visit(dashboard.base, cookies=sent) as one:
            texts = one.open("scenarios")
        assert REFUSAL in texts if kind == "in parts" else is_shut_out(texts), kind
        assert httpx.get(taken[0], headers={"Cookie": sent}, timeout=PATIENCE).status_code in {401, 403, 404}, kind
    assert dashboard.rows(DOWNLOADED, "mallory") == []


def test_good_cookie_without_page_token_counts_as_nobody(dashboard: Dashboard) -> None:
    cookie = dashboard.cookie("anna", "analyst")
    for token in (None, "2|00000000|" + "0" * 32 + "|1"):
        with pytest.raises(InvalidStatus), visit(dashboard.base, cookie, token=token):
            pass


def test_file_is_for_those_who_may_take_files_away(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    url, cookie = taken
    assert get(url).status_code == 401
    assert get(url, cookie).status_code == 200
    assert get(url, dashboard.cookie("mia", "manager")).status_code == 200
    for role in ("viewer", "administrator"):
        answer = get(url, dashboard.cookie(f"{role}-at-files", role))
        assert (answer.status_code, "arrivals" in answer.text) == (403, False)
        assert [row.payload["action"] for row in dashboard.rows(REFUSED, f"{role}-at-files")] == ["download"]
    assert dashboard.rows(DOWNLOADED, "anna")


def test_viewer_is_offered_no_file_and_gets_none_by_its_name(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("anna", "analyst")) as analyst:
        analyst.open(*FILE_PAGE)
        promised_files = analyst.promised_files()
        with visit(dashboard.base, dashboard.cookie("vera", "viewer")) as viewer:
            viewer.open(*FILE_PAGE)
            assert viewer.promised_files() == {}
            for session in ("", analyst.session):
                url, _error = viewer.request_file(promised_files["CSV"], session)
                cookie = dashboard.cookie("vera", "viewer")
                assert not url or get(dashboard.base + url, cookie).status_code == 403
    assert dashboard.rows(DOWNLOADED, "vera") == []


def test_what_another_process_decides_closes_open_page(dashboard: Dashboard) -> None:
    settings = dashboard.home / "settings.toml"
    before, journal = settings.read_text(), Journal(journal_url("", dashboard.home))

    def revoked() -> None:
        revoke(journal, "rita@example.org", Actor("shell:root"), "left the house")

    def without_roles() -> None:
        settings.write_text(f'{before}\n[access.claim_roles]\nboss = "manager"\n')

    def shorter() -> None:
        settings.write_text(before.replace(f"session_minutes = {SESSION_MINUTES}", "session_minutes = 0.01"))

    for act in (revoked, without_roles, shorter):
        with visit(dashboard.base, dashboard.cookie("rita", "analyst")) as one:
            assert DOOR not in one.open("data")
            act()
            assert one.is_closed(), act.__name__
        settings.write_text(before)
    journal.close()


def triggers(one: Visit, label: str) -> BackMsg:
    """The message that a click on a button would send."""
    buttons = [seen.delta.new_element.button for seen in one.seen if seen.HasField("delta")]
    message = BackMsg()
    message.rerun_script.page_name = "alerts"
    state = message.rerun_script.widget_states.widgets.add()
    state.id = next(button.id for button in buttons if button.label == label)
    state.trigger_value = True
    return message


def test_viewer_who_sends_managers_click_begins_nothing(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("mia", "manager")) as manager:
        manager.open("alerts")
        click = triggers(manager, "Sign off and send")
        assert "Confirm" in manager.send(click)
    with visit(dashboard.base, dashboard.cookie("vera", "viewer")) as viewer:
        viewer.open("alerts")
        assert "Confirm" not in viewer.send(click)
    assert dashboard.rows("signed off") == []


def test_every_answer_carries_headers_of_protection(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    for answer in (get(f"{dashboard.base}/"), get(taken[0]), get(*taken), get(f"{dashboard.base}/_stcore/health")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


def test_no_secret_is_written_anywhere(dashboard: Dashboard) -> None:
    written = [dashboard.log, *(path for path in dashboard.home.rglob("*") if path.is_file())]
    for path in written:
        content = path.read_bytes()
        for secret in (dashboard.cookie_secret, dashboard.client_secret):
            assert secret.encode() not in content, path.name
    assert "Traceback" not in dashboard.log.read_text()
