"""Jobs whose program shows what is in its channel, which is in S3."""

from __future__ import annotations

from pathlib import Path

from tests.command_line import Hpo

SHOW = """
echo "$HPO_TRIAL" >> started
cd "$SM_CHANNEL_TRAIN/."
find . -type f | sort | while read -r file; do echo "$file: $(cat "$file")"; done
echo "loss=$HPO_TRIAL"
"""
"""Prints every file of the channel train, and what is in it."""


def job(hpo: Hpo, address: str = "s3://data/sets/train", **sections: object) -> None:
    hpo.job(SHOW, **({"inputs": {"train": address}, "limits": {"max_jobs": 2}} | sections))


def shown(hpo: Hpo, trial: int = 1) -> list[str]:
    """Return what a trial has seen in the channel."""
    return hpo("logs", "job", str(trial)).out.splitlines()[:-1]


def inputs(hpo: Hpo) -> Path:
    return hpo.home / "jobs" / "job" / "inputs"
