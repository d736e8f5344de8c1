"""What every launcher must tell of what happens to its runs."""

from __future__ import annotations

import asyncio

from hpo.core.trial import RunState
from hpo.launchers.scripted import Hold
from tests.conformance.following import Follower, patiently
from tests.conformance.launching import launch, launcher_on
from tests.conformance.stages import Stage


def test_output_and_the_end_are_changes(stage: Stage) -> None:
    stage.plan(1, [b"one\n", Hold("a"), b"two\n", Hold("b")])
    stage.plan(2, [Hold("never")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            noisy, quiet = await launcher.launch(launch(1)), await launcher.launch(launch(2))
            follower = Follower(launcher, noisy)
            for gate, line in (("a", b"one\n"), ("b", b"two\n")):
                while line not in follower.log:
                    await launcher.changed([noisy, quiet])
                    await follower.look()
                stage.open(gate)
            while not (await follower.look()).state.is_final:
                await launcher.changed([noisy, quiet])
            await launcher.stop(quiet, at_once=True)
            assert (await Follower(launcher, quiet).end()).state is RunState.STOPPED

    patiently(test())


def test_a_change_is_told_of_until_it_is_looked_at(stage: Stage) -> None:
    stage.plan(1, [b"one\n", Hold("a")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            handle = await launcher.launch(launch())
            waiting = asyncio.ensure_future(launcher.changed([handle]))
            await asyncio.wait([waiting])  # done, and its result never taken
            assert handle in await launcher.changed([handle])
            stage.open("a")
            assert (await Follower(launcher, handle).end()).state is RunState.SUCCEEDED

    patiently(test())


def test_waiting_for_changes_can_be_given_up_and_begun_again(stage: Stage) -> None:
    stage.plan(1, [Hold("a"), b"one\n", Hold("b")])
    stage.plan(2, [Hold("b")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            handle = await launcher.launch(launch(1))
            await launcher.poll([handle])
            waiting = asyncio.ensure_future(launcher.changed([handle]))
            await asyncio.sleep(0)
            other = await launcher.launch(launch(2))
            waiting.cancel()
            stage.open("a")
            follower = Follower(launcher, handle)
            while b"one\n" not in follower.log:
                assert set(await launcher.changed([handle, other])) <= {handle, other}
                await launcher.poll([other])
                await follower.look()
            stage.open("b")
            for each in (handle, other):
                assert (await Follower(launcher, each).end()).state is RunState.SUCCEEDED

    patiently(test())
