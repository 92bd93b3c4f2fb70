"""Tabulate publishers' files into the bundled snapshot: ``python benchmarks/build_snapshot.py RAW_FOLDER [--out DIR]``.

The same files give the same bytes. It is for Vigie's maintainers.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError, SourceError, VigieError
from core.log import ProgressReport, progress_bar, silent
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from core.settings import SNAPSHOT
from ingest import Source, SourceCard, read_raw
from ingest.snapshot import FOLDER, MANIFEST, REJECTED_FILE, fingerprint
from ingest.sources import CARDS, INTAKE, SOURCES

_KEY = ["source_id", "series_id", "time_period", "as_of"]


@dataclass(frozen=True)
class BuildReport:
    """What a build made.

    Attributes:
        rows: Rows per source.
        size: Bytes of all files together.
        fingerprint: Hash of the manifest, which holds the hash of every file.
        rejected: Rows the parsers set aside (``core.release.REJECTED``).
        left_out: Sources without files to bundle, with the reason.
    """

    rows: dict[str, int]
    size: int
    fingerprint: str
    rejected: pd.DataFrame
    left_out: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """The report in lines for a person."""
        lines = [f"{source_id:<24}{rows:>9,} rows" for source_id, rows in self.rows.items()]
        lines += [f"{source_id:<24}left out: {reason}" for source_id, reason in self.left_out.items()]
        lines.append(
            f"{len(self.rejected):,} row{'s' * (len(self.rejected) != 1)} set aside, listed in {REJECTED_FILE}"
        )
        lines.append(f"{self.size / 1e6:.2f} MB, fingerprint {self.fingerprint[:12]}")
        return "\n".join(lines)


def build(
    raw_folder: Path,
    target: Path,
    *,
    progress: ProgressReport = silent,
    sources: Mapping[str, Source] = SOURCES,
    cards: Mapping[str, SourceCard] = CARDS,
    intake: Mapping[str, Mapping[str, Any]] = INTAKE,
) -> BuildReport:
    """Tabulate the publishers' files into ``target/snapshot``.

    Args:
        raw_folder: Folder below which each source's files lie (``ingest.sources.INTAKE``).
        target: The data folder. Files of an earlier snapshot in it are replaced.
        progress: Reports the sources done.
        sources: Sources to build, by source_id.
        cards: Their cards.
        intake: Patterns of their files.

    Raises:
        InputError: A file is missing or breaks its layout, or a source's licence forbids bundling it. Nothing is
            written then.
    """
    tables: dict[str, pd.DataFrame] = {}
    rejected: list[pd.DataFrame] = []
    inputs: dict[str, list[dict[str, str]]] = {}
    left_out: dict[str, str] = {}
    for done, (source_id, source) in enumerate(sources.items()):
        progress("Tabulating sources", done, len(sources))
        if reason := _reason_to_leave_out(cards[source_id], intake[source_id]):
            left_out[source_id] = reason
            continue
        tables[source_id], refused, inputs[source_id] = _tabulate(source, raw_folder, intake[source_id])
        rejected.append(refused)
    progress("Tabulating sources", len(sources), len(sources))
    set_aside = pd.concat([pd.DataFrame(columns=list(REJECTED.columns), dtype=str), *rejected], ignore_index=True)
    folder = target / FOLDER
    _write(folder, tables, inputs, set_aside)
    return BuildReport(
        rows={source_id: len(table) for source_id, table in tables.items()},
        size=sum(path.stat().st_size for path in folder.iterdir()),
        fingerprint=fingerprint(target),
        rejected=set_aside,
        left_out=left_out,
    )


def _reason_to_leave_out(card: SourceCard, intake: Mapping[str, Any]) -> str:
    if not intake.get("files"):
        return "no files to bundle" if card.redistribution is not False else f"licence: {card.licence}"
    if card.redistribution is False:
        raise InputError(f"source {card.source_id} may not be bundled (licence: {card.licence})")
    return ""


def _tabulate(
    source: Source, raw_folder: Path, intake: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, str]]]:
    observations, rejected, inputs = [], [], []
    for path in _matches(raw_folder, intake["files"]):
        raw = read_raw(path)
        parsed = source.parse(raw)
        observations.append(check(parsed.observations, OBSERVATIONS))
        rejected.append(check(parsed.rejected, REJECTED))
        inputs.append({"name": path.relative_to(raw_folder).as_posix(), "sha256": raw.sha256})
    table = pd.concat(observations, ignore_index=True)[list(OBSERVATIONS.columns)].drop_duplicates()
    if patterns := intake.get("editions"):
        files = [(path, read_raw(path)) for path in _matches(raw_folder, patterns)]
        editions = [check(source.parse(raw).observations, OBSERVATIONS) for _path, raw in files]
        inputs += [{"name": path.relative_to(raw_folder).as_posix(), "sha256": raw.sha256} for path, raw in files]
        table = with_editions(table, pd.concat(editions, ignore_index=True)[list(OBSERVATIONS.columns)])
    clash = table[table.duplicated(_KEY, keep=False)]
    if len(clash):
        first = clash.sort_values(_KEY).iloc[0]
        raise SourceError(
            source.SOURCE_ID,
            "two files disagree on {series} in {period}",
            series=first["series_id"],
            period=first["time_period"],
        )
    return table.sort_values(_KEY, ignore_index=True), pd.concat(rejected, ignore_index=True), inputs


def with_editions(table: pd.DataFrame, editions: pd.DataFrame) -> pd.DataFrame:
    """A compiled table and the dated editions of the file behind it as one history: only what an edition changed.

    Of periods after the first edition's last one, the editions say when each figure was known, and replace the
    table's estimated days. Of earlier ones they hold only changes from one to the next: no one kept what was
    known before the first.

    Args:
        table: Figures with estimated days (``core.release.OBSERVATIONS``).
        editions: The editions' figures, in order of publication; of two of one day the later holds.
    """
    cell = ["source_id", "series_id", "time_period"]
    rows = editions.drop_duplicates(_KEY, keep="last").sort_values(_KEY, kind="stable", ignore_index=True)
    former = rows.groupby(cell)[["obs_value", "obs_flag"]].shift()
    is_first = ~rows.duplicated(cell)
    is_news = is_first | (rows["obs_value"] != former["obs_value"]) | (rows["obs_flag"] != former["obs_flag"])
    first = editions[editions["as_of"] == editions["as_of"].min()]
    is_early = rows["time_period"] <= rows["series_id"].map(first.groupby("series_id")["time_period"].max())
    dated = pd.MultiIndex.from_frame(rows.loc[~is_early, cell])
    gives_way = table["as_of_estimated"] & pd.MultiIndex.from_frame(table[cell]).isin(dated)
    both = pd.concat([table[~gives_way], rows[is_news & ~(is_first & is_early)]], ignore_index=True)
    both = both.sort_values(_KEY, kind="stable", ignore_index=True)
    same = both[["obs_value", "obs_flag"]].eq(both.groupby(cell)[["obs_value", "obs_flag"]].shift()).all(axis=1)
    return both[~same | both["as_of_estimated"]].reset_index(drop=True)


def _matches(raw_folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        found = sorted(raw_folder.glob(pattern))
        if not found:
            raise InputError(f"no file matches '{pattern}' below {raw_folder.name}")
        yield from found


def _write(
    folder: Path, tables: dict[str, pd.DataFrame], inputs: dict[str, list[dict[str, str]]], set_aside: pd.DataFrame
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.parquet"), *folder.glob(MANIFEST), *folder.glob(REJECTED_FILE)):
        old.unlink()
    files = {}
    for source_id, table in tables.items():
        path = folder / f"{source_id}.parquet"
        pq.write_table(_to_table(table), path, compression="zstd", compression_level=19)
        files[source_id] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rows": len(table),
            "inputs": inputs[source_id],
        }
    columns = [name for name in REJECTED.columns if name != "message"]
    set_aside.sort_values(columns).to_csv(folder / REJECTED_FILE, columns=columns, index=False, lineterminator="\n")
    rejected_hash = hashlib.sha256((folder / REJECTED_FILE).read_bytes()).hexdigest()
    manifest = json.dumps(
        {"sources": files, "rejected_sha256": rejected_hash}, indent=1, sort_keys=True, ensure_ascii=False
    )
    (folder / MANIFEST).write_text(manifest + "\n", encoding="utf-8")


def _to_table(frame: pd.DataFrame) -> pa.Table:
    """Dates as days and texts as dictionaries: a tenth of the plain size."""
    days: dict[str, list[dt.date]] = {"as_of": list(frame["as_of"].dt.date)}
    columns = {name: pa.array(days.get(name, frame[name].tolist())) for name in OBSERVATIONS.columns}
    texts = {name: column.dictionary_encode() for name, column in columns.items() if pa.types.is_string(column.type)}
    return pa.table(columns | texts)


def main() -> None:
    """Read the command line, build the snapshot and print a summary."""
    parser = argparse.ArgumentParser(description="Tabulate publishers' files into the bundled snapshot.")
    parser.add_argument("raw", metavar="RAW_FOLDER", type=Path, help="folder of the publishers' files")
    parser.add_argument("--out", type=Path, default=SNAPSHOT, help="folder to write (default: data)")
    given = parser.parse_args()
    try:
        with progress_bar() as progress:
            report = build(given.raw, given.out, progress=progress)
    except VigieError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"{report.summary()}\n")


if __name__ == "__main__":
    main()
