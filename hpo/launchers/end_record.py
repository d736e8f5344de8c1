"""The record of how a run ended elsewhere, in its folder: from then on the folder answers for it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from hpo.core.trial import Reason, RunReport, RunState
from hpo.core.usage import Usage

_FILE = "end.json"


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, and what it was called where it ran, which may be gone by now."""

    native: str
    report: RunReport


def read_end(folder: Path) -> End | None:
    """Return how the run of a folder ended, once that is written down."""
    try:
        written = json.loads((folder / _FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    reason, usage = written["reason"], written["usage"]
    report = RunReport(
        RunState(written["state"]),
        Reason(reason) if reason else None,
        written["detail"],
        written["ended"],
        written["started"],
        written["metrics"],
        Usage(**usage) if usage else None,
        written.get("latest", {}),
    )
    return End(written["native"], report)


def write_end(folder: Path, log: Path, end: End) -> None:
    """Write down how a run ended, after its log is on the disk. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    sync(log)
    report = end.report
    written = {
        "native": end.native,
        "state": report.state,
        "reason": report.reason,
        "detail": report.detail,
        "ended": report.ended,
        "started": report.started,
        "metrics": dict(report.metrics),
        "usage": asdict(report.usage) if report.usage is not None else None,
        "latest": dict(report.latest),
    }
    draft = folder / f"{_FILE}.{secrets.token_hex(4)}"
    draft.write_text(json.dumps(written), encoding="utf-8")
    sync(draft)
    draft.replace(folder / _FILE)


def made_up_id(path: Path) -> str:
    """Return what no other job has: made up once, and kept in this file of the job's folder."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.write_text(secrets.token_hex(6), encoding="ascii")
        sync(draft)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # the first one stays
        draft.unlink()
    return path.read_text(encoding="ascii")


def sync(path: Path) -> None:
    """Bring a file, if there is one, onto the disk. Raises OSError."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())
