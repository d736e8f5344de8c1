"""What every launcher must do, whatever it launches into."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from hpo.core.trial import JobHandle, Reason, RunState
from hpo.launchers.scripted import Hold
from tests.conformance.following import Follower, patiently
from tests.conformance.launching import launch, launcher_on
from tests.conformance.stages import Exit, Stage

# -- launching


def test_a_name_launched_twice_is_started_once(stage: Stage) -> None:
    stage.plan(1, [b"hello\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            first = await launcher.launch(launch())
            assert await launcher.launch(launch()) == first
            await Follower(launcher, first).end()
            assert await launcher.launch(launch()) == first

    patiently(test())
    assert stage.starts(launch()) == 1


def test_a_name_launched_by_two_launchers_at_once_is_started_once(stage: Stage) -> None:
    stage.plan(1, [b"hello\n"])

    async def test() -> None:
        async with launcher_on(stage) as one, launcher_on(stage) as other:
            handles = await asyncio.gather(*(each.launch(launch()) for each in [one, other] * 3))
            assert len(set(handles)) == 1
            for each in (one, other):
                follower = Follower(each, handles[0])
                assert (await follower.end()).state is RunState.SUCCEEDED
                assert follower.log == b"hello\n"

    patiently(test())
    assert stage.starts(launch()) == 1


def test_runs_of_one_trial_are_different_runs(stage: Stage) -> None:
    stage.plan(1, [b"hello\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            first, second = await launcher.launch(launch(run=1)), await launcher.launch(launch(run=2))
            assert first != second
            for handle in (first, second):
                assert (await Follower(launcher, handle).end()).state is RunState.SUCCEEDED

    patiently(test())
    assert stage.starts(launch(run=1)) == stage.starts(launch(run=2)) == 1


def test_only_what_was_launched_is_found(stage: Stage) -> None:
    stage.plan(1, [])

    async def test() -> None:
        async with launcher_on(stage) as launcher, launcher_on(stage) as other:
            assert await launcher.find(launch()) is None
            handle = await launcher.launch(launch())
            assert await other.find(launch()) == handle
            assert await other.find(launch(run=2)) is None
            await Follower(launcher, handle).end()
            assert await other.find(launch()) == handle

    patiently(test())


def test_the_request_starts_nothing(stage: Stage) -> None:
    stage.plan(1, [])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            assert "0.1" in launcher.request(launch())
            assert await launcher.find(launch()) is None

    patiently(test())


def test_what_is_prepared_is_started_when_it_is_launched_and_not_before(stage: Stage) -> None:
    for trial in (1, 2):
        stage.plan(trial, [b"hello\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            for trial in (1, 2):
                await launcher.prepare(launch(trial))
            follower = Follower(launcher, await launcher.launch(launch(1)))
            await follower.end()
            assert follower.log == b"hello\n"
        async with launcher_on(stage) as another:
            assert await another.find(launch(2)) is None
        async with launcher_on(stage) as another:
            await another.prepare(launch(2))
            await Follower(another, await another.launch(launch(2))).end()

    patiently(test())
    assert stage.starts(launch(1)) == stage.starts(launch(2)) == 1


def test_a_handle_survives_json_and_another_launcher(stage: Stage) -> None:
    stage.plan(1, [b"before\n", Hold("gate"), b"after\n"])

    async def first() -> str:
        async with launcher_on(stage) as launcher:
            handle = await launcher.launch(launch())
            return json.dumps([handle.launcher, handle.id])

    async def second(text: str) -> None:
        handle = JobHandle(*json.loads(text))
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, handle)
            await follower.until(b"before\n")
            stage.open("gate")
            assert (await follower.end()).state is RunState.SUCCEEDED
            assert follower.log == b"before\nafter\n"

    patiently(second(patiently(first())))


# -- states


def test_many_runs_are_polled_in_one_call(stage: Stage) -> None:
    ends: Sequence[tuple[Sequence[bytes | Hold | Exit], RunState]] = (
        ([b"x\n"], RunState.SUCCEEDED),
        ([Exit(3)], RunState.FAILED),
        ([Hold("never")], RunState.RUNNING),
    )
    for trial, (acts, _) in enumerate(ends, start=1):
        stage.plan(trial, acts)

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            handles = [await launcher.launch(launch(trial)) for trial in (1, 2, 3)]
            for handle in handles[:2]:
                await Follower(launcher, handle).end()
            for _ in range(2):  # a finished one stays what it is
                reports = await launcher.poll(handles)
                assert [reports[handle].state for handle in handles] == [state for _, state in ends]
            await launcher.stop(handles[2], at_once=True)
            assert (await Follower(launcher, handles[2]).end()).state is RunState.STOPPED

    patiently(test())


@pytest.mark.parametrize("native", ["", "nobody", "{}", '{"run": "trials/0009/run-1", "guard": "1 1 1"}'])
def test_an_unknown_run_is_lost(stage: Stage, native: str) -> None:
    async def test() -> None:
        async with launcher_on(stage) as launcher:
            handle = JobHandle("whatever", native)
            assert (await launcher.poll([handle]))[handle].state is RunState.LOST
            assert set(await launcher.changed([handle])) == {handle}
            assert (await launcher.read(handle, "", ended=True)).data == b""
            await launcher.stop(handle)

    patiently(test())


def test_a_program_that_fails_says_with_which_status(stage: Stage) -> None:
    stage.plan(1, [b"no data\n", Exit(3)])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            report = await Follower(launcher, await launcher.launch(launch())).end()
        assert report.state is RunState.FAILED
        assert report.reason is Reason.EXIT_STATUS
        assert report.detail.startswith("exit status 3")

    patiently(test())
