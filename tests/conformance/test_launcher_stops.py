"""What every launcher must do where a run is to be stopped."""

from __future__ import annotations

from hpo.core.trial import RunState
from hpo.launchers.scripted import Hold, IgnoreStop
from tests.conformance.following import Follower, patiently
from tests.conformance.launching import launch, launcher_on
from tests.conformance.stages import Stage


def test_a_run_stops_however_often_it_is_told(stage: Stage) -> None:
    stage.plan(1, [b"here\n", Hold("never")])

    async def test() -> None:
        async with launcher_on(stage) as launcher, launcher_on(stage) as other:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"here\n")
            await launcher.stop(follower.handle)
            await other.stop(follower.handle)
            assert (await follower.end()).state is RunState.STOPPED
            await launcher.stop(follower.handle)
            assert (await follower.look()).state is RunState.STOPPED

    patiently(test())


def test_a_stop_changes_nothing_of_how_a_run_has_ended(stage: Stage) -> None:
    stage.plan(1, [b"done\n", Hold("go")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"done\n")
            stage.open("go")
            assert (await follower.end()).state is RunState.SUCCEEDED
            await launcher.stop(follower.handle)
            await launcher.stop(follower.handle, at_once=True)
            assert (await follower.look()).state is RunState.SUCCEEDED

    patiently(test())


def test_a_run_stops_that_has_hardly_started(stage: Stage) -> None:
    stage.plan(1, [Hold("never")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            handle = await launcher.launch(launch())
            await launcher.stop(handle)
            assert (await Follower(launcher, handle).end()).state is RunState.STOPPED

    patiently(test())


def test_a_run_that_has_ended_stays_as_it_ended(stage: Stage) -> None:
    stage.plan(1, [b"done\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.end()
            await launcher.stop(follower.handle)
            await launcher.stop(follower.handle, at_once=True)
            assert (await follower.look()).state is RunState.SUCCEEDED

    patiently(test())


def test_a_run_that_ignores_a_stop_ends_at_once_when_told_so(stage: Stage) -> None:
    stage.plan(1, [IgnoreStop(), b"here\n", Hold("a"), b"still here\n", Hold("never")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"here\n")
            await launcher.stop(follower.handle)
            stage.open("a")
            await follower.until(b"still here\n")
            await launcher.stop(follower.handle, at_once=True)
            assert (await follower.end()).state is RunState.STOPPED

    patiently(test())
