"""Roles, actions and rows of the journal about access, in the reader's language."""

from __future__ import annotations

from collections.abc import Collection

from access.audit import DOWNLOADED, REFUSED, SIGNED_IN, SIGNED_OUT, describe
from access.roles import DOWNLOAD, ROLES, SAVE_SCENARIO, page_action
from alerts.lifecycle import ACKNOWLEDGED, ANSWERED, COMMENTED, CORRECTION, DISMISSED, DISSENTED, SIGNED_OFF
from core.entry import Entry
from dashboard.app_pages import page_titles
from dashboard.i18n import _


def role_name(role: str) -> str:
    """A role."""
    names = {"viewer": _("viewer"), "analyst": _("analyst"), "manager": _("manager")}
    return names.get(role, _("administrator"))


def role_names(roles: Collection[str]) -> str:
    """Roles, in the order of the table."""
    return ", ".join(role_name(role) for role in ROLES if role in roles)


def action_name(action: str) -> str:
    """What may be done."""
    names = {
        page_action(page): _("read the page {page}").format(page=_(title)) for page, title in page_titles().items()
    }
    names |= {
        DOWNLOAD: _("take files away"), SAVE_SCENARIO: _("save a scenario"), SIGNED_OFF: _("sign an alert off"),
        DISMISSED: _("dismiss an alert"), ACKNOWLEDGED: _("acknowledge an alert"),
        ANSWERED: _("answer an objection"), COMMENTED: _("comment on an alert"), DISSENTED: _("file dissent"),
        CORRECTION: _("file a correction"),
    }  # fmt: skip
    return names.get(action, action)


def row_name(row: Entry) -> str:
    """What an audit row says was done."""
    words = {
        SIGNED_IN: _("signed in"), SIGNED_OUT: _("signed out"), REFUSED: _("refused"), DOWNLOADED: _("downloaded"),
    }  # fmt: skip
    return words.get(row.action) or action_name(row.action)


def row_about(row: Entry) -> str:
    """What an audit row is about: a file, an alert, roles, what was refused."""
    if row.action in {SIGNED_IN, SIGNED_OUT}:
        return role_names(row.payload.get("roles", [])) or _("no role")
    if row.action == REFUSED:
        action = str(row.payload.get("action", ""))
        about = "" if action.startswith("read ") else f" {row.payload.get('about', '')}"
        return action_name(action) + about
    return describe(row)
