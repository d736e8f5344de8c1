"""What a trial costs, how well the slots are used, and how soon the first trial starts."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.overhead.contenders import (
    FLOOR,
    HPO,
    JOURNAL,
    SQLITE,
    Contender,
    Outcome,
    Outcomes,
    Workload,
    contest,
    ratio,
    typical,
)
from benchmarks.overhead.programs import TINY, sleeper
from benchmarks.overhead.table import Finding, Row, Size, at_least, at_most

PARALLEL = 4


def tiny(size: Size, others: Sequence[Contender]) -> Row:
    """Measure trials that do nothing."""
    load = Workload(TINY, size.trials, PARALLEL)
    contenders = [FLOOR, JOURNAL, SQLITE, HPO, *others]
    outcomes = contest(contenders, load, rounds=size.rounds, count_cpu=True)

    def cost(outcome: Outcome) -> float:
        return 1000 * outcome.marks.window / load.trials

    against_floor = ratio(outcomes, cost, of=HPO.name, to=FLOOR.name)
    against_journal = ratio(outcomes, cost, of=HPO.name, to=JOURNAL.name)
    ran = {len(outcome.marks.ends) for outcome in outcomes[HPO.name]}
    return Row(
        f"{load.trials} tiny trials, {PARALLEL} parallel",
        [
            at_most(
                f"tiny trials, {PARALLEL} parallel, against the floor", against_floor, 2, "times", digits=2
            ),
            at_most("the same against the journal loop", against_journal, 1, "times", digits=2),
            Finding("trials run", f"exactly {load.trials}", _words(ran), ran == {load.trials}),
        ],
        ["ms a trial", "of the floor's", "CPU ms a trial", "trials run"],
        {
            name: [
                f"{typical(runs, cost):.1f}",
                f"{ratio(outcomes, cost, of=name, to=FLOOR.name):.2f}",
                _cpu(runs, load.trials),
                _words({len(outcome.marks.ends) for outcome in runs}),
            ]
            for name, runs in outcomes.items()
        },
        "From the first program's start to the last one's end; medians over the rounds, ratios within each. "
        "CPU is that of all processes, with programs and start-up.",
    )


def slots(size: Size, others: Sequence[Contender]) -> Row:
    """Measure how much of its slots a contender uses with programs that sleep a second."""
    by_parallel: dict[int, Outcomes] = {}
    for parallel in GOALS:
        load = Workload(sleeper(1), parallel * size.sleeps, parallel)
        by_parallel[parallel] = contest([FLOOR, JOURNAL, HPO, *others], load, rounds=max(1, size.rounds // 2))

    def share(outcome: Outcome) -> float:
        return size.sleeps / outcome.marks.window

    findings = [
        at_least(
            f"slots in use, {parallel} parallel, of the floor's",
            ratio(outcomes, share, of=HPO.name, to=FLOOR.name),
            GOALS[parallel],
            "",
            digits=3,
        )
        for parallel, outcomes in by_parallel.items()
    ]
    return Row(
        f"Slots in use, {size.sleeps} sleeps of 1 s in each",
        findings,
        [f"{parallel} parallel" for parallel in GOALS],
        {
            name: [f"{typical(outcomes[name], share):.1%}" for outcomes in by_parallel.values()]
            for name in by_parallel[PARALLEL]
        },
        "Seconds slept by the slots' seconds from the first start to the last end.",
    )


GOALS = {4: 0.98, 32: 0.95}


def start(size: Size, others: Sequence[Contender]) -> Row:
    """Measure how long it takes from the command to the first trial's program."""
    load = Workload(TINY, PARALLEL, PARALLEL)
    outcomes = contest([FLOOR, JOURNAL, SQLITE, HPO, *others], load, rounds=2 * size.rounds)

    def until_first(outcome: Outcome) -> float:
        return outcome.marks.starts[0] - outcome.began

    against_journal = ratio(outcomes, until_first, of=HPO.name, to=JOURNAL.name)
    return Row(
        "From the command to the first trial",
        [
            at_most(
                "start to the first trial, against the journal loop", against_journal, 1, "times", digits=2
            )
        ],
        ["seconds"],
        {name: [f"{typical(runs, until_first):.2f}"] for name, runs in outcomes.items()},
    )


def _cpu(runs: Sequence[Outcome], trials: int) -> str:
    counted = [outcome.cpu for outcome in runs if outcome.cpu is not None]
    return f"{1000 * median(counted) / trials:.1f}" if counted else "?"


def _words(counts: set[int]) -> str:
    return ", ".join(map(str, sorted(counts)))
