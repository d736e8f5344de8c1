"""Events in any order, doubled and late: whatever happens, the invariants hold and the job ends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.core.apply import apply
from hpo.core.effects import Abandon, Effect, Propose, Start, Stop, WakeAt, Watch
from hpo.core.events import (
    Abandoned,
    Deferred,
    Event,
    Exhausted,
    Launched,
    LaunchFailed,
    Observed,
    Proposed,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.job import EndReason, Job, assemble
from hpo.core.plan import plan
from hpo.core.repeats import Repeats, Score
from hpo.core.settings import Goal, Objective, Running, Settings
from hpo.core.trial import JobHandle, Match, Reason, Run, RunReport, RunState, Trial, TrialStatus
from hpo.core.usage import Usage

WORST = 1.0
"""What a run of the world costs at the most."""

FINAL = [RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.LOST]


@dataclass
class World:
    """Answers effects at random, as launchers and strategies might, and remembers launches."""

    rng: random.Random
    configurations: int  # of the space
    now: float = 0.0
    launched: dict[str, JobHandle] = field(default_factory=dict)
    costs: dict[JobHandle, float] = field(default_factory=dict)  # what each run will have cost
    ends: dict[JobHandle, RunReport] = field(default_factory=dict)
    given: dict[JobHandle, dict[str, object]] = field(default_factory=dict)

    def answer(self, job: Job, effect: Effect) -> Event | None:
        self.now += self.rng.random()
        match effect:
            case Propose(trial):
                if trial > self.configurations:
                    return Exhausted(self.now)
                return Proposed(trial, {"x": trial}, "random", "", self.now)
            case Start(launch):
                if launch.name in self.launched or self.rng.random() < 0.8:
                    handle = self.launched.setdefault(launch.name, JobHandle("w", launch.name))
                    self.given.setdefault(handle, dict(launch.params))
                    self.costs.setdefault(handle, self.rng.choice([0.0, WORST, self.rng.random() * WORST]))
                    return Launched(launch.trial, launch.run, handle, self.now)
                if self.rng.random() < 0.5:
                    return Deferred(launch.trial, launch.run, "busy", self.now + 1, self.now)
                return LaunchFailed(launch.trial, launch.run, Reason.COULD_NOT_START, "no", self.now)
            case Abandon(launch):
                if launch.name in self.launched:
                    return Launched(launch.trial, launch.run, self.launched[launch.name], self.now)
                return Abandoned(launch.trial, launch.run, self.now)
            case Stop(trial, run, _, at_once):
                return StopSent(trial, run, at_once, self.now)
            case Watch():
                return self.observe(self.rng.choice([t for t in job.open.values() if t.run.handle]))
            case WakeAt(time):
                self.now = max(self.now, time)
                return Ticked(self.now)

    def observe(self, trial: Trial) -> Observed:
        handle = trial.run.handle
        assert handle is not None
        if handle in self.ends or self.rng.random() < 0.5:
            report = self.ends.setdefault(handle, self.end(handle))
        else:
            report = RunReport(RunState.RUNNING, usage=self.usage(self.costs[handle] * self.rng.random()))
        matches = tuple(Match("f1", self.rng.random()) for _ in range(self.rng.randrange(3)))
        since = trial.run.cursor
        cursor = str(int(since or 0) + len(matches))
        more = self.rng.random() < 0.2
        return Observed(
            trial.number,
            trial.run.number,
            replace(report, detail=self.rng.choice(["", "it does not answer"])),
            matches,
            since,
            cursor,
            self.now,
            more,
        )

    def end(self, handle: JobHandle) -> RunReport:
        state = self.rng.choice(FINAL)
        reason = Reason.EXIT_STATUS if state is RunState.FAILED else None
        if state is RunState.LOST and self.rng.random() < 0.5:
            self.costs[handle] = 0.0
            return RunReport(state, Reason.NO_CAPACITY)
        return RunReport(state, reason, usage=self.usage(self.costs[handle]))

    def known_cost(self, run: Run) -> float:
        """Return what an ended run cost as far as it was told, and else what it can have cost."""
        if run.handle is None:
            return 0.0
        end = self.ends[run.handle]
        told = end.usage.cost if end.usage is not None else None
        return told if told is not None else 0.0 if end.reason is Reason.NO_CAPACITY else WORST

    def usage(self, cost: float) -> Usage | None:
        """Return a usage that costs so much, or none: a launcher need not know."""
        return Usage("m", billable_seconds=cost * 3600.0, price=1.0) if self.rng.random() < 0.8 else None


def check(job: Job, trials: dict[int, Trial], world: World) -> None:
    limits = job.settings
    assert job.proposed <= limits.max_jobs
    assert set(trials) == set(range(1, job.proposed + 1))
    assert len(job.open) <= limits.max_parallel_jobs
    assert {n for n, trial in trials.items() if not trial.status.is_final} == set(job.open)
    assert all(trials[n] == trial for n, trial in job.open.items())
    assert job.tally.ended + len(job.open) == job.proposed
    places = sorted(trial.place for trial in trials.values() if trial.place is not None)
    assert places == list(range(1, job.tally.ended + 1))
    best = job.tally.best
    completed = [t.value for t in trials.values() if t.status is TrialStatus.COMPLETED]
    assert (best.value if best else None) == max((v for v in completed if v is not None), default=None)
    for trial in trials.values():
        assert [run.number for run in trial.runs] == list(range(1, len(trial.runs) + 1))
        assert all(run.state.is_final for run in trial.runs[:-1])
        assert trial.status.is_final == (trial.ended is not None)
        assert (trial.status is TrialStatus.COMPLETED) <= (trial.value is not None)
        assert not (trial.status.is_final and trial.run.waiting)
        if trial.reason is Reason.LOST and trial.status is TrialStatus.FAILED:
            losses = sum(run.reason is Reason.LOST for run in trial.runs if run.repeat == trial.run.repeat)
            finished = job.ending is not None and limits.running is Running.FINISH  # launches no more
            assert losses >= limits.attempts or "max_cost" in trial.detail or finished
        check_repeats(limits, trial, world)
    if limits.max_cost is not None:
        ended = [run for t in trials.values() for run in (t.runs if t.status.is_final else t.runs[:-1])]
        assert job.spent == pytest.approx(sum(world.known_cost(run) for run in ended))
        to_come = sum(limits.repeats.count - trial.run.repeat + 1 for trial in job.open.values())
        assert job.spent + WORST * to_come <= limits.max_cost * (1 + 1e-6), "as all of them can be paid"
        assert sum(world.costs.values()) <= limits.max_cost * (1 + 1e-6), "as no run cost more than the worst"
    if job.ending is not None:
        may_run = limits.running is Running.FINISH
        assert all(
            trial.status is TrialStatus.STOPPING
            or (may_run and (trial.run.handle is not None or trial.run.repeat > 1))
            for trial in job.open.values()
        )
    if job.is_done:
        assert not job.open
        assert not plan(job, 0.0)


def check_repeats(limits: Settings, trial: Trial, world: World) -> None:
    """No repeat is left out, none counts twice, and each was given its own seed."""
    counting = [run for run in trial.runs if run.value is not None]
    assert [run.repeat for run in counting] == list(range(1, len(counting) + 1))
    assert all(trial.run.repeat in {run.repeat, run.repeat + 1} for run in counting[-1:])
    assert all(run.state is RunState.SUCCEEDED for run in counting)
    for run in trial.runs:
        if run.handle is not None:
            assert world.given[run.handle] == {"x": trial.number, **limits.repeats.given(run.repeat)}
    if trial.status is TrialStatus.COMPLETED:
        assert len(counting) == limits.repeats.count
        assert trial.value == limits.repeats.score.of(trial.repeat_values)


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**32),
    max_jobs=st.integers(1, 12),
    configurations=st.integers(1, 15),
    parallel=st.integers(1, 5),
    target=st.sampled_from([None, 0.9]),
    patience=st.sampled_from([None, 3]),
    converged=st.booleans(),
    running=st.sampled_from(Running),
    max_failures=st.sampled_from([None, 2]),
    timeout=st.sampled_from([None, 3.0]),
    deadline=st.sampled_from([None, 20.0]),
    stops=st.booleans(),
    max_cost=st.sampled_from([None, 1.0, 2.5, 8.0]),
    repeats=st.sampled_from([0, 0, 2, 3]),
)
def test_any_order_of_events_keeps_the_invariants_and_ends_the_job(
    seed: int,
    max_jobs: int,
    configurations: int,
    parallel: int,
    target: float | None,
    patience: int | None,
    converged: bool,
    running: Running,
    max_failures: int | None,
    timeout: float | None,
    deadline: float | None,
    stops: bool,
    max_cost: float | None,
    repeats: int,
) -> None:
    rng = random.Random(seed)
    max_cost = max_cost * max(1, repeats) if max_cost is not None else None
    job = Job(
        Settings(
            "j",
            Objective("f1", Goal.MAXIMIZE),
            max_jobs,
            parallel,
            max_job_runtime=timeout,
            max_failures=max_failures,
            target=target,
            not_improving_for=patience,
            converged=converged,
            running=running,
            max_cost=max_cost,
            worst_cost=WORST if max_cost is not None else None,
            repeats=Repeats("seed", tuple(range(1, repeats + 1)), rng.choice(list(Score))),
        ),
        deadline=deadline,
    )
    world, trials, past = World(rng, configurations), dict[int, Trial](), list[Event]()
    stopped = False
    for _ in range(4000):
        if job.is_done:
            break
        effects = plan(job, world.now)
        assert effects, "a job that is not done always has something under way"
        event = world.answer(job, rng.choice(effects))
        assert event is not None
        arriving = [event]
        if past and rng.random() < 0.3:
            arriving.insert(rng.randrange(2), rng.choice(past))  # late, or for the second time
        if stops and rng.random() < 0.01:
            arriving.append(StopRequested(Reason.STOPPED, "stop", world.now, rng.random() < 0.5))
        for each in arriving:
            past.append(each)
            stopped = stopped or (isinstance(each, StopRequested) and job.ending is None)
            change = apply(job, each)
            trials |= {trial.number: trial for trial in change.trials}
            job = change.job
            check(job, trials, world)
        if rng.random() < 0.05 and not job.is_done:  # a crash: only trials are kept
            resumed = assemble(job.settings, [trials[n] for n in sorted(trials)], deadline=deadline)
            assert replace(resumed, exhausted=job.exhausted, ending=job.ending) == job
            job, stopped = resumed, False
    assert job.is_done
    assert job.ending is not None
    assert (job.ending.reason in {EndReason.MAX_JOBS, EndReason.EXHAUSTED}) <= (not stopped)
    assert (job.ending.reason is EndReason.EXHAUSTED) <= (job.proposed == configurations)
    if job.ending.reason is EndReason.MAX_COST:
        assert max_cost is not None
        assert job.spent + WORST * job.settings.repeats.count > max_cost
    assert len(set(world.launched.values())) == len(world.launched)
    handles = [run.handle for trial in trials.values() for run in trial.runs if run.handle is not None]
    assert sorted(handle.id for handle in handles) == sorted(world.launched), "as no run is forgotten"
