"""Acceptance lines 8, 9 and 11: metrics, through the real command line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest

from tests.command_line import PATIENCE, Hpo


def spec_of(hpo: Hpo, regex: str, program: str = "true", **sections: object) -> None:
    hpo.job(program, metrics={"loss": regex}, **sections)


@pytest.mark.parametrize(
    ("regex", "line", "words"),
    [
        (r"f1:s+(\S+)", "f1: 0.5", [r"`s+` was probably meant as `\s+`", r"try: 'f1:\s+(\S+)'"]),
        (r"lr=([0-9\.]+)", "lr=4.2e-05", ["reads 4.2e-05 as 4.2"]),
        (r"f1=([0-9\.]+)", "f1=0.97.", ["captures `0.97.`", "no number"]),
        (r"acc:(.*?)", "acc: 0.5", ["captures the empty text", r"(\S+)"]),
    ],
    ids=["lost_backslash", "exponent", "full_stop", "empty"],
)
def test_acceptance_8_a_pattern_is_tried_on_sample_lines_and_its_trap_is_named(
    hpo: Hpo, regex: str, line: str, words: list[str]
) -> None:
    spec_of(hpo, regex)
    tried = hpo("metrics", "spec.yaml", "--log", "-", text=f"{line}\n", status=None)
    assert [word for word in words if word not in tried.out + tried.err] == [], tried.out + tried.err


def values(hpo: Hpo) -> list[tuple[int, float]]:
    """Run the job, and return the step and value of each match of the objective, as its events told them."""
    events = [json.loads(line) for line in hpo("run", "spec.yaml", "--json").out.splitlines()]
    matches = [event for event in events if event["event"] == "metric"]
    assert [match["time"] for match in matches] == sorted(match["time"] for match in matches)
    return [(match["step"], match["value"]) for match in matches]


@pytest.mark.parametrize(("take", "value"), [("last", 0.5), ("best", 0.25)])
def test_acceptance_9_both_streams_are_read_and_every_match_is_kept(
    hpo: Hpo, take: str, value: float
) -> None:
    program = "echo loss=4.2e-01; echo loss=0.25 >&2; echo loss=0.5"
    objective = {"metric": "loss", "goal": "minimize", "take": take}
    hpo.job(program, objective=objective, limits={"max_jobs": 1})
    assert values(hpo) == [(1, 0.42), (2, 0.25), (3, 0.5)]
    assert hpo("best", "job", "--json").json["value"] == value


def test_acceptance_9_a_metric_may_count_the_steps(hpo: Hpo) -> None:
    hpo.job(
        "for epoch in 10 20; do echo epoch=$epoch loss=1.$epoch; done",
        objective={"metric": "loss", "goal": "minimize", "step": "epoch"},
        metrics={"epoch": r"epoch=(\d+)", "loss": r"loss=(\S+)"},
        limits={"max_jobs": 1},
    )
    assert values(hpo) == [(10, 1.1), (20, 1.2)]


OUTCOMES = """
case $HPO_TRIAL in
1) echo loss=0.1234567890123456789 ;;
2) echo nothing ;;
3) echo loss=nan ;;
4) exit 3 ;;
5) kill -KILL $$ ;;
6) exec sleep 1000 ;;
7) touch last; exec sleep 1000 ;;
esac
"""


def test_acceptance_11_outcomes_are_distinct_and_all_shown(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    hpo.job(OUTCOMES, limits={"max_jobs": 7, "max_job_runtime": "3s"})
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.folder / "last").exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    trials = hpo("trials", "job", "--json").json
    assert [(trial["status"], trial["reason"]) for trial in trials] == [
        ("completed", None),
        ("failed", "no metric"),
        ("failed", "not finite"),
        ("failed", "exit status"),
        ("failed", "signal"),
        ("failed", "timeout"),
        ("cancelled", "interrupted"),
    ]
    assert trials[0]["value"] == 0.1234567890123456789
    _, *rows = hpo("trials", "job").out.splitlines()
    for row, trial in zip(rows, trials, strict=True):
        assert (trial["reason"] or trial["status"]) in row
