"""Slots that are freed at once, under a strategy whose asks take their time; the launcher takes none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks.overhead import finished
from benchmarks.overhead.contenders import Contender, new_folder
from benchmarks.overhead.table import Row, Size, at_most
from hpo.core.history import History
from hpo.core.job import assemble
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Launch, Trial
from hpo.core.verdict import Verdict
from hpo.launchers.scripted import Hold, ScriptedLauncher, Step, World
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search import registry as strategies
from hpo.search.strategy import Proposal, Strategy
from hpo.spec.space import Continuous, Integer, Space
from hpo.store.sqlite import JobRecord, Store

SLOTS = 32
RESULTS = 100
LOOK_EVERY = 0.001
"""Seconds between two turns of the task that sees how long the loop is blocked."""

OBJECTIVE = Objective("loss", Goal.MINIMIZE)
RECORD = JobRecord(
    Settings("overhead", OBJECTIVE, max_jobs=RESULTS, max_parallel_jobs=SLOTS), "", "scripted", 1, "", "", 0.0
)
SPACE = Space((*(Continuous(name, 0.0, 1.0) for name in "abc"), Integer("n", 1, 50)))


@dataclass
class Timed:
    """A strategy, and the seconds that its asks took."""

    strategy: Strategy
    took: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.needs_results = self.strategy.needs_results

    def prepare(self) -> None:
        self.strategy.prepare()

    def propose(self, history: History, number: int) -> Proposal | None:
        began = time.perf_counter()
        try:
            return self.strategy.propose(history, number)
        finally:
            self.took.append(time.perf_counter() - began)

    def should_stop(self, history: History, number: int) -> Verdict | None:
        return self.strategy.should_stop(history, number)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen once all slots were free, in seconds."""

    launches: Sequence[float]  # until each
    blocked: float  # for how long at the most nothing else had its turn
    asks: Sequence[float]


def freed(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure how soon slots that are freed at once are used again, and what waits meanwhile."""
    seen = {name: [asyncio.run(_seen(name)) for _ in range(size.rounds)] for name in ("bayesian", "random")}
    model = seen["bayesian"]
    return Row(
        f"{SLOTS} slots freed at once, with {RESULTS} results",
        [
            at_most("to the first launch, of an ask", _ratio(model, first=True), 2, "times", digits=2),
            at_most("to the last launch, of all asks", _ratio(model), 1.5, "times", digits=2),
            at_most(
                "the loop blocked at the most, of an ask",
                median(each.blocked / median(each.asks) for each in model),
                1,
                "times",
                digits=2,
            ),
        ],
        ["an ask, ms", "to the first launch, ms", "to the last, ms", "the loop blocked at the most, ms"],
        {name: _figures(each) for name, each in seen.items()},
        "In one process, with a launcher that takes no time; medians, of 4 parameters. An ask is as it was "
        "there, with the loop beside it.",
    )


def _ratio(seen: Sequence[Seen], *, first: bool = False) -> float:
    if first:
        return median(min(each.launches) / median(each.asks) for each in seen)
    return median(max(each.launches) / sum(each.asks) for each in seen)


def _figures(seen: Sequence[Seen]) -> list[str]:
    figures = (
        median(median(each.asks) for each in seen),
        median(min(each.launches) for each in seen),
        median(max(each.launches) for each in seen),
        median(each.blocked for each in seen),
    )
    return [f"{1000 * seconds:.1f}" for seconds in figures]


async def _seen(name: str) -> Seen:
    """Run a job whose trials wait for each other: all slots are freed at once, once."""
    launches: list[float] = []
    all_run, all_again = asyncio.Event(), asyncio.Event()

    def script(launch: Launch) -> Sequence[Step]:
        launches.append(time.perf_counter())
        if len(launches) == SLOTS:
            all_run.set()
        elif len(launches) == 2 * SLOTS:
            all_again.set()
        gate = Hold("go" if launch.trial <= RESULTS + SLOTS else "end")
        return [f"loss={launch.params['a']}\n".encode(), gate]

    world = World(script)
    random, strategy = (
        strategies.build(each, space=SPACE, seed=1, objective=OBJECTIVE, max_jobs=RESULTS + 2 * SLOTS)
        for each in ("random", name)
    )
    strategy.prepare()
    timed = Timed(strategy)
    with closing(Store.create(new_folder() / "job.db", RECORD)) as store:
        scheduler = _scheduler(store, finished.fill(store, RECORD.settings, random, RESULTS), timed, world)
        running = asyncio.create_task(scheduler.run())
        await all_run.wait()
        await asyncio.sleep(0.1)  # until all is taken in
        began = time.perf_counter()
        world.open("go")
        blocked = await _longest_gap(all_again)
        world.open("end")
        await running
    return Seen([at - began for at in launches[SLOTS:]], blocked, timed.took[SLOTS:])


def _scheduler(store: Store, trials: Sequence[Trial], strategy: Strategy, world: World) -> Scheduler:
    launcher, clock = ScriptedLauncher(world), WallClock()
    reader = Reader(compile_metrics({"loss": r"loss=(\S+)"}), bytes.decode)
    performer = Performer(launcher, readers={None: reader}, objectives=["loss"], clock=clock)
    history = History.of(OBJECTIVE, trials, store.points(metric="loss"))
    job = assemble(replace(RECORD.settings, max_jobs=RESULTS + 2 * SLOTS), trials)
    return Scheduler(job, Parts(store, history, strategy, launcher, performer, clock))


async def _longest_gap(until: asyncio.Event) -> float:
    """Return the longest time for which the loop gave this task no turn."""
    longest, last = 0.0, time.perf_counter()
    while not until.is_set():
        await asyncio.sleep(LOOK_EVERY)
        now = time.perf_counter()
        longest, last = max(longest, now - last - LOOK_EVERY), now
    return longest
