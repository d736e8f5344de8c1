from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from hpo.core.trial import RunState
from hpo.errors import NoCapacity
from hpo.launchers import gpus
from tests.conformance.following import Follower, patiently
from tests.launchers.machine import Machine

SCRIPT = (
    'echo "gpus: $CUDA_VISIBLE_DEVICES $SM_NUM_GPUS"; while [ ! -e gate-$HPO_TRIAL ]; do sleep 0.01; done'
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, ["0", "1"]),
        ({"CUDA_VISIBLE_DEVICES": " 2 , GPU-5a,"}, ["2", "GPU-5a"]),
        ({"CUDA_VISIBLE_DEVICES": "0,1,0"}, ["0", "1"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
    ],
)
def test_the_user_s_gpus_are_the_candidates(environment: Mapping[str, str], expected: list[str]) -> None:
    assert gpus.candidates(environment) == expected


def test_the_machine_s_gpus_are_the_candidates_otherwise() -> None:
    found = gpus.candidates({})  # there may be none here
    assert found == [str(number) for number in range(len(found))]


def test_each_run_has_a_gpu_of_its_own_until_it_ends(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")

    async def test() -> None:
        launcher = machine.launcher(SCRIPT, gpus=1)
        first, second = [Follower(launcher, await launcher.launch(machine.launch(trial))) for trial in (1, 2)]
        await first.until(b"gpus: 4 1\n")
        await second.until(b"gpus: 7 1\n")
        with pytest.raises(
            NoCapacity, match="waiting for a GPU: 4 is used by job-0001-1, 7 is used by job-0002-1"
        ):
            await launcher.launch(machine.launch(3))
        assert await launcher.find(machine.launch(3)) is None
        (machine.base / "gate-2").touch()
        assert (await second.end()).state is RunState.SUCCEEDED
        third = Follower(launcher, await launcher.launch(machine.launch(3)))
        await third.until(b"gpus: 7 1\n")
        for trial, run in ((1, first), (3, third)):
            (machine.base / f"gate-{trial}").touch()
            assert (await run.end()).state is RunState.SUCCEEDED
        await launcher.close()

    patiently(test())


def test_two_jobs_share_the_machine_s_gpus(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    other = Machine(machine.base, job="other")

    async def test() -> None:
        greedy = machine.launcher(SCRIPT, gpus=2)
        modest = other.launcher(SCRIPT, gpus=1)
        run = Follower(greedy, await greedy.launch(machine.launch()))
        await run.until(b"gpus: 0,1 2\n")
        with pytest.raises(NoCapacity, match="job-0001-1"):
            await modest.launch(other.launch())
        await greedy.stop(run.handle, at_once=True)
        await run.end()
        run = Follower(modest, await modest.launch(other.launch()))
        await run.until(b"gpus: 0 1\n")
        with pytest.raises(NoCapacity, match="0 is used by other-0001-1"):
            await greedy.launch(machine.launch(2))
        (other.base / "gate-1").touch()
        await run.end()
        await asyncio.gather(greedy.close(), modest.close())

    patiently(test())


def test_a_request_names_the_gpus_to_choose_from(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    request = machine.launcher("true", gpus=1).request(machine.launch())
    assert "CUDA_VISIBLE_DEVICES=(1 of 0, 1)" in request.splitlines()
