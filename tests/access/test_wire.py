"""Over the wire, past every page: nobody reads or changes what their role does not allow."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus

from access.audit import DOWNLOADED, REFUSED, SIGNED_IN, SIGNED_OUT
from access.roles import PAGES, ROLES
from tests.workflow.test_permissions import promised

from .conftest import SESSION_MINUTES, Dashboard
from .wire import COOKIE, Visit, cookie_of, visit

DOOR, REFUSAL = "Sign in to read Vigie", "Your role does not allow this page"
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
    return httpx.get(url, headers={"Cookie": f"{COOKIE}={cookie}", **headers} if cookie else headers, timeout=60)


@pytest.mark.parametrize("page", ["", *PAGES])
def test_without_a_login_every_address_shows_the_door_and_nothing_else(dashboard: Dashboard, page: str) -> None:
    with visit(dashboard.base) as one:
        assert is_shut_out(one.open(page))


def test_the_empty_page_says_nothing_of_a_release(dashboard: Dashboard) -> None:
    for page in ("", *PAGES):
        answer = get(f"{dashboard.base}/{page}")
        assert not any(text in answer.text for text in OF_A_RELEASE)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ROLES)
def test_a_page_is_shown_or_refused_by_role(dashboard: Dashboard, role: str, page: str) -> None:
    with visit(dashboard.base, dashboard.cookie(f"{role}-{page}", role)) as one:
        texts = one.open(page)
    assert DOOR not in texts
    assert (REFUSAL not in texts) == promised()[f"read {page}"][role]
    refused = [row.payload["about"] for row in dashboard.rows(REFUSED, f"{role}-{page}@")]
    assert refused == ([] if promised()[f"read {page}"][role] else [page])


def test_an_account_without_a_role_sees_nothing_and_is_recorded(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("nora", "chess club")) as one:
        texts = one.open("alerts")
    assert "Your account has no role here" in texts
    assert not any(text in texts for text in OF_A_RELEASE)
    assert dashboard.rows(REFUSED, "nora")


def forged(dashboard: Dashboard) -> dict[str, str]:
    good = dashboard.cookie("mallory", "manager")
    body, stamp, signature = good.rsplit(".", 2)
    old = time.time() - SESSION_MINUTES * 60 - 1
    return {
        "made with another key": cookie_of(dashboard.base, "k" * 64, "mallory", roles=("manager",)),
        "with a changed body": f"{body[:-2]}AA.{stamp}.{signature}",
        "with a changed time": f"{body}.AAAAAA.{signature}",
        "without a signature": body,
        "made for another address": dashboard.cookie("mallory", "manager", origin="https://elsewhere.example.org"),
        "older than a login may be": dashboard.cookie("mallory", "manager", iat=int(old)),
        "with a mail address nobody vouches for": dashboard.cookie("mallory", "manager", email_verified=False),
        "that says it is not signed in": dashboard.cookie("mallory", "manager", is_logged_in=False),
        "that is rubbish": "%00{}",
    }  # fmt: skip


FORGERIES = (
    "made with another key", "with a changed body", "with a changed time", "without a signature",
    "made for another address", "older than a login may be", "with a mail address nobody vouches for",
    "that says it is not signed in", "that is rubbish",
)  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_or_expired_cookie_opens_nothing(dashboard: Dashboard, taken: tuple[str, str], kind: str) -> None:
    cookie = forged(dashboard)[kind]
    with visit(dashboard.base, cookie) as one:
        assert is_shut_out(one.open("alerts"))
    assert get(taken[0], cookie).status_code == 401
    assert dashboard.rows(SIGNED_IN, "mallory") == []


def test_a_good_cookie_without_the_page_s_token_or_origin_counts_as_nobody(dashboard: Dashboard) -> None:
    cookie = dashboard.cookie("anna", "analyst")
    for how in ({"token": None}, {"token": "2|00000000|" + "0" * 32 + "|1"}, {"origin": None}):
        with visit(dashboard.base, cookie, **how) as one:
            assert is_shut_out(one.open("alerts"))


def test_a_page_of_another_origin_cannot_connect(dashboard: Dashboard) -> None:
    cookie = dashboard.cookie("anna", "analyst")
    with pytest.raises(InvalidStatus) as refused, visit(dashboard.base, cookie, origin="https://evil.example.org"):
        pass
    assert refused.value.response.status_code == 403


def test_a_name_that_an_attacker_points_here_is_not_served(dashboard: Dashboard) -> None:
    assert get(f"{dashboard.base}/", Host="evil.example.org").status_code == 400
    assert get(f"{dashboard.base}/_stcore/health", Host="evil.example.org:80").status_code == 400


def test_headers_that_claim_an_identity_are_nothing(dashboard: Dashboard) -> None:
    claimed = {"Streamlit-User": "manager@example.org", "X-Forwarded-User": "manager@example.org", "Remote-User": "m"}
    with visit(dashboard.base, headers=claimed) as one:
        assert is_shut_out(one.open("alerts"))


def test_a_file_is_for_those_who_may_take_files_away(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    url, cookie = taken
    assert get(url).status_code == 401
    assert get(url, cookie).status_code == 200
    assert get(url, dashboard.cookie("mia", "manager")).status_code == 200
    for role in ("viewer", "administrator"):
        answer = get(url, dashboard.cookie(f"{role}-at-files", role))
        assert (answer.status_code, "arrivals" in answer.text) == (403, False)
        assert [row.payload["action"] for row in dashboard.rows(REFUSED, f"{role}-at-files")] == ["download"]
    assert dashboard.rows(DOWNLOADED, "anna")


def test_a_viewer_is_offered_no_file_and_gets_none_by_its_name(dashboard: Dashboard) -> None:
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


def ways_around(url: str) -> list[str]:
    base, name = url.rsplit("/media/", 1)
    paths = [
        f"//media/{name}", f"/./media/{name}", f"/static/../media/{name}", f"/%6dedia/{name}", f"/media%2f{name}",
        f"/MEDIA/{name}", f"/media/./{name}", f"/media/{name}?x=/static/", f"/media/{name};x", f"/media//{name}",
        f"/_stcore/health/../../media/{name}", f"/auth/login/../../media/{name}",
    ]  # fmt: skip
    return [base + path for path in paths]


def test_no_way_of_writing_its_address_hands_a_file_to_somebody_unknown(taken: tuple[str, str]) -> None:
    from urllib.request import Request, urlopen  # noqa: PLC0415  # httpx would tidy the addresses up

    content = get(*taken).text
    assert "# Title:" in content
    for url in ways_around(taken[0]):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            try:
                with urlopen(Request(url, method=method), timeout=60) as answer:  # noqa: S310  # our own loopback address
                    text = answer.read().decode("utf-8", "replace")
            except OSError:
                continue
            assert content[:200] not in text, (method, url)


def test_after_signing_out_the_cookie_is_worth_nothing(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    cookie = dashboard.cookie("otto", "analyst")
    with visit(dashboard.base, cookie) as one:
        assert DOOR not in one.open("data")
        assert get(f"{dashboard.base}/auth/logout", cookie).status_code == 302
        one.socket.send(BackMsg(rerun_script={"page_name": "alerts"}).SerializeToString())  # type: ignore[arg-type]  # fields by name
        assert one.is_closed()
    assert get(taken[0], cookie).status_code == 401
    with visit(dashboard.base, cookie) as again:
        assert is_shut_out(again.open("data"))
    assert len(dashboard.rows(SIGNED_OUT, "otto")) == 1


def test_a_session_is_not_taken_over_by_its_number(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("mia", "manager")) as manager:
        manager.open("alerts")
        for cookie, role in (("", DOOR), (dashboard.cookie("vera", "viewer"), REFUSAL)):
            with visit(dashboard.base, cookie, session=manager.session) as other:
                assert role in other.open("scenarios")
        assert "Alerts" in manager.open("alerts")


def triggers(one: Visit, label: str) -> BackMsg:
    """The message that a click on a button would send."""
    buttons = [seen.delta.new_element.button for seen in one.seen if seen.HasField("delta")]
    message = BackMsg()
    message.rerun_script.page_name = "alerts"
    state = message.rerun_script.widget_states.widgets.add()
    state.id = next(button.id for button in buttons if button.label == label)
    state.trigger_value = True
    return message


def test_a_viewer_who_sends_a_managers_click_begins_nothing(dashboard: Dashboard) -> None:
    with visit(dashboard.base, dashboard.cookie("mia", "manager")) as manager:
        manager.open("alerts")
        click = triggers(manager, "Sign off and send")
        assert "Confirm" in manager.send(click)
    with visit(dashboard.base, dashboard.cookie("vera", "viewer")) as viewer:
        viewer.open("alerts")
        assert "Confirm" not in viewer.send(click)
    assert dashboard.rows("signed off") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_stcore/upload_file/session/file"),
        ("DELETE", "/_stcore/upload_file/session/file"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/script-health-check"),
        ("POST", "/_stcore/agent/interact"),
        ("POST", "/_stcore/agent/mcp"),
        ("GET", "/_stcore/agent/openapi.json"),
        ("GET", "/component/x/index.html"),
        ("GET", "/_stcore/bidi-components/x/index.js"),
        ("GET", "/app/static/x"),
    ],
)
def test_what_serves_no_empty_page_answers_nobody_unknown(dashboard: Dashboard, method: str, path: str) -> None:
    assert httpx.request(method, dashboard.base + path, content=b"x", timeout=60).status_code == 401


def test_nobody_has_the_server_install_anything(dashboard: Dashboard) -> None:
    for cookie in ("", dashboard.cookie("mia", "manager")):
        with visit(dashboard.base, cookie) as one:
            one.open("")
            message = BackMsg()
            message.backend_operation_request.session_id = one.session
            message.backend_operation_request.install_skills.SetInParent()
            assert one.answer(message).error_msg


def test_the_servers_own_figures_are_for_administrators(dashboard: Dashboard) -> None:
    statuses = {
        role: get(f"{dashboard.base}/_stcore/metrics", dashboard.cookie(role, role)).status_code for role in ROLES
    }
    assert statuses == {"viewer": 403, "analyst": 403, "manager": 403, "administrator": 200}


def test_an_upload_without_its_token_or_session_is_refused_and_its_size_is_bounded(dashboard: Dashboard) -> None:
    cookie = dashboard.cookie("anna", "analyst")
    url = f"{dashboard.base}/_stcore/upload_file/nobody/file"
    assert httpx.put(url, files={"file": b"x"}, headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 403
    with visit(dashboard.base, cookie) as one:
        one.open("data")
        assert one.socket.request is not None
        token = one.socket.request.headers["Sec-WebSocket-Protocol"].split(",")[1].strip()
        headers = {"Cookie": f"{COOKIE}={cookie}; _streamlit_xsrf={token}", "X-Xsrftoken": token}
        url = f"{dashboard.base}/_stcore/upload_file/{one.session}/file"
        too_much = b"x" * (12 * 1024 * 1024)
        assert httpx.put(url, files={"file": too_much}, headers=headers, timeout=120).status_code == 413


def test_every_answer_carries_the_headers_of_protection(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    for answer in (get(f"{dashboard.base}/"), get(taken[0]), get(*taken), get(f"{dashboard.base}/_stcore/health")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


def test_another_origin_may_not_read_answers(dashboard: Dashboard, taken: tuple[str, str]) -> None:
    for url in (f"{dashboard.base}/_stcore/health", taken[0]):
        assert "access-control-allow-origin" not in get(url, taken[1], Origin="https://evil.example.org").headers


def test_an_error_shows_no_secret_and_no_trace(dashboard: Dashboard) -> None:
    for path in ("/auth/login?provider=x", "/auth/login", "/oauth2callback?state=x&code=y", "/oauth2callback?error=z"):
        answer = get(dashboard.base + path)
        assert answer.status_code in {302, 400}
        assert "Traceback" not in answer.text
        for secret in (dashboard.cookie_secret, dashboard.client_secret):
            assert secret not in answer.text + str(answer.headers)


def test_no_secret_is_written_anywhere(dashboard: Dashboard) -> None:
    written = [dashboard.log, *(path for path in dashboard.home.rglob("*") if path.is_file())]
    for path in written:
        content = path.read_bytes()
        for secret in (dashboard.cookie_secret, dashboard.client_secret):
            assert secret.encode() not in content, path.name
    assert "Traceback" not in dashboard.log.read_text()
