"""What trials wait for, as it is told while a job runs and by `hpo status`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpo.cli.status import status_text
from hpo.cli.views import JsonView, PlainView, View
from hpo.core.apply import apply
from hpo.core.events import Deferred, Event, Launched, Observed, Proposed, StopRequested
from hpo.core.job import Job
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import JobHandle, Reason, RunReport, RunState, Trial
from hpo.report.data import JobView, status_data, trial_data
from hpo.store.sqlite import JobRecord

SETTINGS = Settings("job", Objective("loss", Goal.MINIMIZE), max_jobs=4, max_parallel_jobs=3)
SILENT = "the engine does not answer"


def proposed(number: int) -> Event:
    return Proposed(number, {"x": number}, "random", "", 0.0)


def deferred(number: int, why: str, at: float) -> Event:
    return Deferred(number, 1, why, at + 1, at)


def looked_at(number: int, detail: str, state: RunState = RunState.RUNNING) -> Event:
    return Observed(number, 1, RunReport(state, detail=detail), (), since="", cursor="", at=9.0)


def launched(number: int) -> Event:
    return Launched(number, 1, JobHandle("scripted", str(number)), 1.0)


def shown(view: View, *events: Event) -> Job:
    job = Job(SETTINGS)
    for event in events:
        change = apply(job, event)
        view.show(event, change)
        job = change.job
    return job


QUEUED = [proposed(1), *(deferred(1, "no GPU is free", float(second)) for second in range(5))]
FREED = [
    proposed(2),
    launched(2),
    looked_at(2, "", RunState.SUCCEEDED),  # wakes the queued one, which then waits for the same
    deferred(1, "no GPU is free", 10.0),
    deferred(1, "the machine is full", 11.0),
]
FOLLOWED = [launched(1), *(looked_at(1, detail) for detail in [SILENT, SILENT, "", SILENT])]
TOLD = ["no GPU is free", "the machine is full", SILENT, SILENT]


def test_lines_say_what_a_trial_waits_for_once() -> None:
    lines: list[str] = []
    shown(PlainView(4, lines.append), *QUEUED, *FREED, *FOLLOWED)
    assert [line for line in lines if "waits" in line] == [f"trial 1 waits: {why}" for why in TOLD]


def test_events_say_what_a_trial_waits_for_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown(JsonView(["loss"]), *QUEUED, *FREED, *FOLLOWED)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    waiting = [(event["trial"], event["reason"]) for event in events if event["event"] == "waiting"]
    assert waiting == [(1, why) for why in TOLD]


def test_a_stop_that_is_asked_for_again_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    stop = StopRequested(Reason.STOPPED, "`hpo stop` was called", 2.0)
    hurry = StopRequested(Reason.STOPPED, "`hpo stop` was called", 3.0, at_once=True)
    events = [proposed(1), launched(1), stop, stop, hurry, stop, hurry]
    lines: list[str] = []
    shown(PlainView(4, lines.append), *events)
    assert lines == [
        "stopping (`hpo stop` was called): waiting for 1 trial; Ctrl-C stops them at once",
        "stopping (`hpo stop` was called): waiting for 1 trial; Ctrl-C leaves them to themselves",
    ]
    shown(JsonView(["loss"]), *events)
    assert capsys.readouterr().out.count('"stopping"') == 2


def test_status_shows_what_waits_while_the_job_runs() -> None:
    events = [event for number in (1, 2, 3) for event in (proposed(number), deferred(number, "no GPU", 1.0))]
    job = shown(PlainView(4, lambda _: None), *events, launched(2), looked_at(2, SILENT))
    trials: tuple[Trial, ...] = tuple(job.open.values())
    record = JobRecord(SETTINGS, "random", "scripted", 1, "", "/", created=0.0)
    running = JobView(Path("job"), record, "running", trials, 3.0)
    data = status_data(running, now=9.0)
    assert data["waiting"] == [
        {"trial": 1, "reason": "no GPU"},
        {"trial": 2, "reason": SILENT},
        {"trial": 3, "reason": "no GPU"},
    ]
    text = status_text(data)
    assert "waiting   trials 1, 3: no GPU\n" in text
    assert f"waiting   trial 2: {SILENT}\n" in text
    assert [trial_data(trial, record.settings)["waiting"] for trial in trials] == ["no GPU", SILENT, "no GPU"]
    alone = JobView(Path("job"), record, "interrupted", trials, 3.0)
    assert status_data(alone, now=9.0)["waiting"] == []
