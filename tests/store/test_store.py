"""The store: what is committed comes back exactly, and nothing half."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.core.apply import Change
from hpo.core.job import Ending, EndReason, Job, JobStatus
from hpo.core.prior import ParentReport, PastTrial, Prior, Priors, PriorTrial, WarmStart
from hpo.core.repeats import Repeats, Score
from hpo.core.settings import Goal, Objective, Required, Take
from hpo.core.trial import JobHandle, Point, Progress, Reason, Run, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from hpo.errors import StoreError
from hpo.spec.space import Values
from hpo.store.sqlite import Store
from tests.store.new_store import RECORD, SETTINGS, change, new_store


def test_what_a_job_began_with_comes_back_exactly(tmp_path: Path) -> None:
    params: Values = {"rate": 1.0, "width": 1, "kind": None, "on": True, "text": "ü"}
    report = ParentReport(
        "first", 3, 1, failed=1, out_of_range=2, beyond=1, lacked={"depth": 8}, ignored=("old",), fixed=("f",)
    )
    trials = (
        PriorTrial(0, "first", PastTrial("first", 1, params, -1e308), {"rate": 1.0, "kind": None}),
        PriorTrial(0, "first", PastTrial("first", 2, params, 0.2), {"rate": 9.0, "kind": None}, beyond=True),
        PriorTrial(0, "first", PastTrial("older", 7, params, 0.1, (1e308, -0.5)), None),
    )
    prior = Prior(WarmStart.TRANSFER, (report,), trials)
    evidence = Prior(
        WarmStart.IDENTICAL, (report, replace(report, parent="b")), (replace(trials[0], parent=1),)
    )
    cases: list[Priors] = [{None: prior}, {"forest": evidence, "boosting": prior}]
    for number, priors in enumerate(cases):
        Store.create(tmp_path / f"{number}.db", RECORD, priors).close()
        store = Store.open(tmp_path / f"{number}.db")
        assert repr(store.priors()) == repr(priors)  # with the types of the values
        store.close()
    cold = Store.create(tmp_path / "cold.db", RECORD)
    assert cold.priors() == {}
    cold.close()


scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()
runs = st.builds(
    Run,
    number=st.just(1),
    state=st.sampled_from(RunState),
    handle=st.none() | st.builds(JobHandle, st.text(), st.text()),
    cursor=st.text(),
    progress=st.builds(
        Progress,
        counts=st.dictionaries(st.text(), st.integers(0, 10**6)),
        latest=st.dictionaries(st.text(), st.floats(allow_nan=False)),
        best=st.none() | st.floats(allow_nan=False),
        others=st.dictionaries(st.text(), st.floats(allow_nan=False)),
    ),
    waiting=st.text(),
    not_before=st.floats(0, 1e10),
    started=st.none() | st.floats(0, 1e10),
    reason=st.none() | st.sampled_from(Reason),
    stopped_at_once=st.booleans(),
    repeat=st.integers(1, 99),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    usage=st.none()
    | st.builds(
        Usage,
        machine=st.text(),
        machines=st.integers(1, 99),
        billable_seconds=st.floats(0, 1e9),
        price=st.none() | st.floats(0, 1e3),
        is_spot=st.booleans(),
        interruptions=st.integers(0, 9),
    ),
)
trials = st.builds(
    Trial,
    number=st.just(1),
    params=st.dictionaries(st.text(), scalars),
    proposed_by=st.text(),
    status=st.sampled_from(TrialStatus),
    reason=st.none() | st.sampled_from(Reason),
    detail=st.text(),
    value=st.none() | st.floats(allow_nan=False),
    runs=st.tuples(runs),
    memo=st.text(),
    created=st.floats(0, 1e10),
    place=st.none() | st.integers(1, 99),
    others=st.lists(st.none() | st.floats(allow_nan=False), max_size=3).map(tuple),
    violation=st.floats(0),
)


@settings(max_examples=25)
@given(trial=trials)
def test_a_trial_comes_back_exactly_as_it_was(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = new_store(folder)
    store.commit([change(trial)], at=2.0)
    store.close()
    (back,) = Store.open(folder / "job.db").trials()
    assert back == trial
    assert [type(value) for value in back.params.values()] == [type(v) for v in trial.params.values()]
    assert list(back.params) == list(trial.params)


def test_the_job_comes_back_with_its_settings(tmp_path: Path) -> None:
    new_store(tmp_path).close()
    assert Store.open(tmp_path / "job.db").record() == RECORD


def test_the_repeats_of_a_job_come_back(tmp_path: Path) -> None:
    settings = replace(SETTINGS, repeats=Repeats("random-state", (1, 2, 3), Score.MEDIAN))
    Store.create(tmp_path / "job.db", replace(RECORD, settings=settings)).close()
    assert Store.open(tmp_path / "job.db").record().settings == settings


def test_several_objectives_and_requirements_come_back_with_the_settings(tmp_path: Path) -> None:
    others = (Objective("latency", Goal.MINIMIZE), Objective("size", Goal.MAXIMIZE, Take.BEST))
    require = (Required("latency < 50", ("latency",)), Required("size > f1", ("f1", "size")))
    record = replace(RECORD, settings=replace(SETTINGS, others=others, require=require))
    Store.create(tmp_path / "job.db", record).close()
    assert Store.open(tmp_path / "job.db").record() == record


def test_points_keep_their_order_and_values_nan_and_infinity_included(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    values = [0.1, math.inf, math.nan, -math.inf, 5e-324]
    points = tuple(Point(1, 1, "f1", float(step), value, 3.0) for step, value in enumerate(values))
    store.commit([change(Trial(1, {}, ""), points=points)], at=1.0)
    back = [point.value for point in store.points(metric="f1")]
    assert [repr(value) for value in back] == [repr(value) for value in values]


def test_all_runs_of_a_trial_come_back(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    first = Run(1, RunState.LOST, reason=Reason.LOST, detail="gone")
    store.commit([change(Trial(1, {}, "", runs=(first,)))], at=1.0)
    store.commit([change(Trial(1, {}, "", runs=(first, Run(2)))), change(Trial(2, {}, ""))], at=2.0)
    assert [[run.number for run in trial.runs] for trial in store.trials()] == [[1, 2], [1]]
    assert [trial.number for trial in store.trials(2)] == [2]


POINT = Point(1, 1, "f1", 1.0, 0.5, 3.0)


@pytest.mark.parametrize(
    "unwritable",
    [
        change(Trial(2, {}, "", runs=(Run(1, cursor=object()),))),  # type: ignore[arg-type]
        change(Trial(2, {}, ""), points=(replace(POINT, value=object()),)),  # type: ignore[arg-type]
    ],
    ids=["trial", "point"],
)
def test_a_failing_commit_leaves_nothing_behind(tmp_path: Path, unwritable: Change) -> None:
    store = new_store(tmp_path)
    with pytest.raises(StoreError):
        store.commit([change(Trial(1, {}, ""), points=(POINT,)), unwritable], at=1.0)
    assert store.trials() == []
    assert store.points(metric="f1") == []
    store.commit([change(Trial(1, {}, ""))], at=1.0)
    assert len(store.trials()) == 1


def test_an_ended_job_keeps_how_it_ended(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    ended = Job(SETTINGS, JobStatus.STOPPED, Ending(EndReason.STOPPED, "`hpo stop` was called"))
    store.commit([change(job=ended)], at=9.0)
    record = store.record()
    assert (record.status, record.end_detail, record.ended) == (
        JobStatus.STOPPED,
        "`hpo stop` was called",
        9.0,
    )
    store.begin_session(pid=1, at=10.0)
    assert store.record().status is JobStatus.RUNNING


def test_elapsed_adds_up_sessions_and_not_the_time_between(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.begin_session(pid=1, at=100.0)
    store.commit([change(Trial(1, {}, ""))], at=104.0)  # then it is killed
    store = Store.open(tmp_path / "job.db")
    store.begin_session(pid=2, at=1000.0)
    store.end_session(at=1010.0)
    assert store.elapsed() == pytest.approx(14.0)
    assert store.elapsed(now=1020.0) == pytest.approx(24.0)


def test_elapsed_counts_time_in_which_nothing_was_committed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.begin_session(pid=1, at=100.0)
    store.note_alive(at=160.0)  # then it is killed
    assert Store.open(tmp_path / "job.db").elapsed() == pytest.approx(60.0)


def test_a_run_that_was_dropped_is_gone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    first = Run(1, RunState.STOPPED)
    again = Trial(1, {}, "", runs=(first, Run(2)))
    store.commit([change(again)], at=1.0)
    store.commit([change(replace(again, status=TrialStatus.CANCELLED, runs=(first,)))], at=2.0)
    assert [trial.runs for trial in store.trials()] == [(first,)]


def test_requests_reach_the_session_and_none_that_came_before_it(tmp_path: Path) -> None:
    store, other = new_store(tmp_path), Store.open(tmp_path / "job.db")
    other.request("stop", at=1.0)
    store.begin_session(pid=1, at=2.0)
    assert store.requests() == []
    version = store.version()
    other.request("stop at once", at=3.0)
    assert store.version() != version
    ((number, kind),) = store.requests()
    assert kind == "stop at once"
    other.request("stop", at=4.0)
    assert [kind for _, kind in store.requests(after=number)] == ["stop"]


KILLED_WRITER = """
import itertools, sys
from pathlib import Path
from hpo.core.apply import Change
from hpo.core.job import Job
from hpo.core.trial import Point, Trial
from hpo.store.sqlite import Store
store = Store.open(Path(sys.argv[1]))
job = Job(store.record().settings)
for number in itertools.count(1):
    points = tuple(Point(number, 1, "f1", float(step), 0.5, 1.0) for step in range(50))
    store.commit([Change(job, (Trial(number, {"x": number}, "random"),), points)], at=1.0)
    print(number, flush=True)
"""


@pytest.mark.parametrize("survivors", [1, 40, 173])
def test_a_writer_killed_while_it_commits_leaves_whole_commits(tmp_path: Path, survivors: int) -> None:
    new_store(tmp_path).close()
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED_WRITER, str(tmp_path / "job.db")], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= survivors:
            break
    os.kill(writer.pid, signal.SIGKILL)
    last = survivors + len(writer.stdout.read().splitlines())
    writer.wait()
    writer.stdout.close()
    store = Store.open(tmp_path / "job.db")
    numbers = [trial.number for trial in store.trials()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) in {last, last + 1}  # what was reported is there; one more may be, whole
    assert len(store.points(metric="f1")) == 50 * len(numbers)
