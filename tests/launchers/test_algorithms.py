"""Runs of several algorithms, each on a launcher of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from hpo.core.trial import JobHandle, Launch, RunState
from hpo.launchers.algorithms import AlgorithmsLauncher
from hpo.launchers.scripted import Hold, ScriptedLauncher, World


class Priced(ScriptedLauncher):
    """A launcher whose runs cost something, and that knows how many are expected."""

    def __init__(self, world: World, cost: float | None) -> None:
        super().__init__(world)
        self.cost = cost
        self.expected = 0

    def worst_cost(self) -> float | None:
        return self.cost

    def expect(self, runs: int) -> None:
        self.expected = runs


def launch(trial: int, algorithm: str) -> Launch:
    return Launch("job", trial, 1, {"x": 1}, algorithm=algorithm)


@pytest.fixture
def worlds() -> Mapping[str, World]:
    """A world for each of two algorithms, in which a run prints whose it is, and then waits."""
    printed: Mapping[str, bytes] = {"one": b"one\n", "other": b"other\n"}
    return {name: World(lambda launch: [printed[launch.algorithm or ""], Hold("end")]) for name in printed}


def test_each_run_is_its_own_algorithms(worlds: Mapping[str, World]) -> None:
    async def test() -> None:
        launcher = AlgorithmsLauncher({name: ScriptedLauncher(world) for name, world in worlds.items()})
        first = await launcher.launch(launch(1, "one"))
        second = await launcher.launch(launch(2, "other"))
        assert (first.algorithm, second.algorithm) == ("one", "other")
        assert await launcher.launch(launch(1, "one")) == first
        again = AlgorithmsLauncher({name: ScriptedLauncher(world) for name, world in worlds.items()})
        assert await again.find(launch(2, "other")) == second
        assert await again.find(launch(2, "one")) is None
        reports = await again.poll([first, second])
        assert {handle: report.state for handle, report in reports.items()} == {
            first: RunState.RUNNING, second: RunState.RUNNING,
        }  # fmt: skip
        assert (await again.read(first, "", ended=False)).data == b"one\n"
        assert (await again.read(second, "", ended=False)).data == b"other\n"
        await again.stop(second)
        assert (await again.poll([second]))[second].state is RunState.STOPPED
        await again.close()

    asyncio.run(test())
    assert [dict(world.starts) for world in worlds.values()] == [{"job-0001-1": 1}, {"job-0002-1": 1}]
    assert [dict(world.stops) for world in worlds.values()] == [{}, {"job-0002-1": 1}]


def test_it_wakes_whichever_launcher_has_news(worlds: Mapping[str, World]) -> None:
    async def test() -> None:
        launcher = AlgorithmsLauncher({name: ScriptedLauncher(world) for name, world in worlds.items()})
        handles = [await launcher.launch(launch(1, "one")), await launcher.launch(launch(2, "other"))]
        await launcher.poll(handles)
        for name, handle in zip(("other", "one"), reversed(handles), strict=True):
            waiting = asyncio.ensure_future(launcher.changed(handles))
            await asyncio.sleep(0)
            assert not waiting.done()
            worlds[name].open("end")
            assert set(await waiting) == {handle}
            assert (await launcher.poll([handle]))[handle].state is RunState.SUCCEEDED

    asyncio.run(test())


def test_a_run_of_an_algorithm_that_there_is_not_is_lost(worlds: Mapping[str, World]) -> None:
    async def test() -> None:
        launcher = AlgorithmsLauncher({"one": ScriptedLauncher(worlds["one"])})
        for handle in (JobHandle("scripted", "job-0001-1", "gone"), JobHandle("scripted", "job-0001-1")):
            assert set(await launcher.changed([handle])) == {handle}
            assert (await launcher.poll([handle]))[handle].state is RunState.LOST
            assert (await launcher.read(handle, "", ended=True)).data == b""
            await launcher.stop(handle)

    asyncio.run(test())


def test_a_run_can_cost_what_the_dearest_algorithms_can(worlds: Mapping[str, World]) -> None:
    one, other = Priced(worlds["one"], 0.5), Priced(worlds["other"], 2.0)
    launcher = AlgorithmsLauncher({"one": one, "other": other})
    assert launcher.worst_cost() == 2.0
    other.cost = None
    assert launcher.worst_cost() is None
    launcher.expect(7)
    assert (one.expected, other.expected) == (7, 7)
