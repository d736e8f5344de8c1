"""What a container costs, with a few of them at a time and with many, and what a large log costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.overhead.contenders import (
    Contender,
    Outcome,
    Outcomes,
    Workload,
    contest,
    ratio,
    spec_of,
    typical,
)
from benchmarks.overhead.programs import Program
from benchmarks.overhead.table import Finding, Row, at_most

IMAGE = "python:3.11-slim"
NETWORKS = ("bridge", "none")
MANY = 32
GOAL = 1.1
"""Times what the bare calls of the API take."""

_BARE = "bare API"

_AROUND = """date "+start %s.%N" >>"$MARKS"
{body}echo loss=0.5
exec date "+end %s.%N" >>"$MARKS"
"""
_TINY = Program(_AROUND.format(body=""))
_LINE = "epoch 3, batch   123: samples/s 1532.25, memory 1024 MiB, eta 00:12:31"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    containers: int  # in each slot
    megabytes: int  # of log


FULL = Size(rounds=5, containers=15, megabytes=10)
QUICK = Size(rounds=2, containers=5, megabytes=10)


def few(parallel: int) -> Callable[[Size], Row]:
    """Return what measures containers that do nothing, so many at a time."""

    def measure(size: Size) -> Row:
        load = Workload(_TINY, size.containers * parallel, parallel)
        return _row(
            load, {network: contest(_contenders(network), load, rounds=size.rounds) for network in NETWORKS}
        )

    return measure


def many(size: Size) -> Row:
    """Measure many containers at once, each of which does nothing."""
    load = Workload(_TINY, 2 * MANY, MANY)
    return _row(load, {"none": contest(_contenders("none"), load, rounds=max(1, size.rounds // 2))})


def log(size: Size) -> Row:
    """Measure one container that prints a large log."""
    lines = size.megabytes * 10**6 // (len(_LINE) + 1)
    talker = Program(_AROUND.format(body=f"yes '{_LINE}' | head -n {lines}\n"))
    outcomes = contest(_contenders("none"), Workload(talker, 1, 1), rounds=size.rounds)

    def until_done(outcome: Outcome) -> float:
        return 1000 * (outcome.ended - outcome.marks.starts[0])

    against_bare = ratio(outcomes, until_done, of="hpo", to=_BARE)
    return Row(
        f"{size.megabytes} MB of log from one container",
        [Finding(f"{size.megabytes} MB of log, against the bare API", "", f"{against_bare:.2f} times")],
        ["ms", f"of the {_BARE}'s"],
        {
            name: [
                f"{typical(runs, until_done):.0f}",
                f"{ratio(outcomes, until_done, of=name, to=_BARE):.2f}",
            ]
            for name, runs in outcomes.items()
        },
        "From the program's start until the contender knows that all is done; network none.",
    )


def _row(load: Workload, by_network: dict[str, Outcomes]) -> Row:
    def cost(outcome: Outcome) -> float:
        return 1000 * outcome.marks.window / load.trials

    def against_bare(network: str, name: str) -> float:
        return ratio(by_network[network], cost, of=name, to=_BARE)

    return Row(
        f"{load.trials} short containers, {load.parallel} parallel",
        [
            at_most(
                f"{load.parallel} parallel, network {network}, against the bare API",
                against_bare(network, "hpo"),
                GOAL,
                "times",
                digits=2,
            )
            for network in by_network
        ],
        [head for network in by_network for head in (f"{network}: ms each", f"of the {_BARE}'s")],
        {
            name: [
                figure
                for network, outcomes in by_network.items()
                for figure in (f"{typical(outcomes[name], cost):.0f}", f"{against_bare(network, name):.2f}")
            ]
            for name in next(iter(by_network.values()))
        },
        "From the first program's start to the last one's end; medians over the rounds, ratios within each.",
    )


def _contenders(network: str) -> list[Contender]:
    return [
        Contender("docker run", _bare("docker", network)),
        Contender(_BARE, _bare("api", network)),
        Contender("hpo", _hpo(network)),
    ]


def _bare(way: str, network: str) -> Callable[[Workload, list[str], Path], list[str]]:
    def command(load: Workload, program: list[str], folder: Path) -> list[str]:
        sizes = [str(load.trials), str(load.parallel)]
        loop = [sys.executable, str(Path(__file__).with_name("bare.py")), way, *sizes]
        return [*loop, network, str(folder), IMAGE, *program]

    return command


def _hpo(network: str) -> Callable[[Workload, list[str], Path], list[str]]:
    def command(load: Workload, program: list[str], folder: Path) -> list[str]:
        spec, overlay = folder / "spec.yaml", folder / "docker.yaml"
        spec.write_text(spec_of(load, program), encoding="utf-8")
        launcher = {
            "kind": "docker",
            "image": IMAGE,
            "pull": "never",
            "network": network,
            "mounts": [f"{folder}:{folder}"],
            "env": {"MARKS": f"{folder}/marks"},
        }
        overlay.write_text(json.dumps({"launcher": launcher}), encoding="utf-8")
        return [sys.executable, "-m", "hpo", "run", str(spec), "-c", str(overlay), "--json"]

    return command
