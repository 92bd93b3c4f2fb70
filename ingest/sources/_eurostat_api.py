"""Asking Eurostat's Statistics API: years at a time, less where that is too much, waiting in its queue."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest import SETTING, Pull, RawFile, Request
from ingest.answers import gather
from ingest.rows import PERIODS

NO_DATA, TOO_BIG = 404, 413
_EMPTY = re.compile(rb'"value"\s*:\s*(?:\{\s*\}|\[\s*\])')
_QUEUED = re.compile(r"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(r"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")
_UNREPORTED = 6
"""Newest months that no country may have reported yet: figures come two to three months late."""
_WAITING = frozenset({"SUBMITTED", "PROCESSING"})
_EVERY = (("sex", "T"), ("age", "TOTAL"), ("unit", "PER"))
_TOTAL = (("citizen", "TOTAL"),)


@dataclass(frozen=True)
class Question:
    """What is asked of one dataset."""

    dataset: str
    filters: tuple[tuple[str, str], ...]
    first: pd.Period
    last: pd.Period

    def halves(self) -> tuple[Question, Question]:
        """The first and second half of the months, or, of one, of the values of its most filtered dimension.

        Raises:
            SourceError: Nothing is left to divide.
        """
        periods = (self.last - self.first).n + 1
        if periods > 1:
            middle = self.first + periods // 2
            return replace(self, last=middle - 1), replace(self, first=middle)
        names = [name for name, _ in self.filters]
        widest = max(names, key=names.count)
        values = [pair for pair in self.filters if pair[0] == widest]
        if len(values) < 2:
            raise SourceError(
                self.dataset, _("a single period is too big an answer for Eurostat: {period}"), period=self.first
            )
        rest = [pair for pair in self.filters if pair[0] != widest]
        half = len(values) // 2
        return replace(self, filters=(*rest, *values[:half])), replace(self, filters=(*rest, *values[half:]))

    def request(self, address: str) -> Request:
        """The question as the Statistics API takes it at the dataset's address."""
        span = (("sinceTimePeriod", str(self.first)), ("untilTimePeriod", str(self.last)))
        query = (("format", "JSON"), ("lang", "EN"), *self.filters, *span)
        return Request(address, query, expected=frozenset({NO_DATA, TOO_BIG}))


def ask_eurostat(pull: Pull) -> list[RawFile]:
    """Ask for applications, pending ones and temporary protection, by citizenship and country.

    A dataset whose option is empty is not asked for.

    Returns:
        One JSON document per dataset: the list of its answers, in order.

    Raises:
        SourceError: A part of the figures could not be had.
        InputError: An option is missing, or no month.
    """
    access = pull.access
    applicants = tuple((access.text("applicant_dimension"), code) for code in access.option("applicant_types", list))
    since, by_citizen = _first(pull, "since"), _first(pull, "since_by_citizen")
    protection = _first(pull, "protection_since")
    datasets = {
        access.text("applicants"): _slices(pull, applicants, since, by_citizen),
        access.text("pending"): _slices(pull, (), since, by_citizen),
        access.text("beneficiaries"): _slices(pull, (), protection, protection),
        access.text("grants"): _slices(pull, (), protection, protection),
    }
    return gather(
        pull,
        {
            code: partial(_file, pull, code, [replace(slice_, dataset=code) for slice_ in asked])
            for code, asked in datasets.items()
            if code
        },
    )


def _slices(
    pull: Pull, filters: tuple[tuple[str, str], ...], since: pd.Period, by_citizen: pd.Period
) -> list[Question]:
    """Totals of all citizenships from ``since``, and every citizenship, year by year, from ``by_citizen``."""
    now = pd.Period(pull.today, freq="M")
    totals = Question("", (*_EVERY, *filters, *_TOTAL), since, by_citizen - 1)
    return [
        *([totals] if since < by_citizen else []),
        *_years(Question("", (*_EVERY, *filters), by_citizen, now)),
    ]


def _file(pull: Pull, code: str, questions: list[Question]) -> RawFile:
    parts = [part for question in questions for part in _answers(pull, question)]
    if not parts:
        raise SourceError(code, _("the answers hold no value: one of the codes asked for is unknown, or has no data"))
    return RawFile(f"{code}.json", b"[" + b",\n".join(parts) + b"]")


def _answers(pull: Pull, question: Question) -> list[bytes]:
    """The answer to a question, in as many parts as Eurostat wants it divided into.

    Only the newest months may be without any value: anything else without one is a fault, not an answer.
    """
    answer = pull.ask(question.request(pull.access.address("statistics", question.dataset)))
    if answer.status == TOO_BIG:
        return [part for half in question.halves() for part in _answers(pull, half)]
    content = _from_queue(pull, question, answer.content) if answer.content.lstrip()[:1] == b"<" else answer.content
    if answer.status == NO_DATA or _EMPTY.search(content):
        if (pd.Period(pull.today, freq="M") - question.first).n > _UNREPORTED:
            span = f"{question.first} to {question.last}"
            raise SourceError(
                question.dataset, _("no value from {span}: a code asked for is unknown, or the data moved"), span=span
            )
        return []
    return [content]


def _from_queue(pull: Pull, question: Question, content: bytes) -> bytes:
    """Wait for an answer that Eurostat prepares behind the scenes, and take it."""
    text = content.decode("utf-8", "replace")
    queued = _QUEUED.search(text)
    if not queued or not _STATUS.search(text):
        raise SourceError(question.dataset, _("a web page or a notice came in place of the figures"))
    for _attempt in range(pull.access.whole("queue_polls")):
        status = _STATUS.search(text)
        word = status[1] if status else "no status"
        if word == "AVAILABLE":
            return pull.ask(Request(pull.access.address("asynchronous", "data", queued[1]))).content
        if word not in _WAITING:
            raise SourceError(question.dataset, _("Eurostat's queue gave the question up: {status}"), status=word)
        pull.wait(pull.access.whole("queue_seconds"))
        request = Request(pull.access.address("asynchronous", "status", queued[1]))
        text = pull.ask(request).content.decode("utf-8", "replace")
    raise SourceError(question.dataset, _("Eurostat's queue did not come to an end in time"))


def _years(question: Question) -> list[Question]:
    """The question year by year: a year of all citizenships stays below what Eurostat answers at once."""
    every = pd.period_range(question.first, question.last)
    return [
        replace(question, first=every[every.year == year][0], last=every[every.year == year][-1])
        for year in every.year.unique()
    ]


def _first(pull: Pull, option: str) -> pd.Period:
    text = pull.access.text(option)
    if not re.fullmatch(PERIODS["M"], text):
        raise InputError(f"{SETTING}, {pull.access.source_id}: options.{option} must be a month such as 2021-01")
    return pd.Period(text, freq="M")
