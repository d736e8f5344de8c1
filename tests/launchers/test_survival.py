"""What happens to runs when a guard, a tuner or a folder gives out."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hpo.core.trial import JobHandle, Reason, RunState
from hpo.launchers.process.identity import identity
from tests.conformance.following import Follower, patiently
from tests.launchers.machine import Machine

Eventually = Callable[[Callable[[], object]], None]

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


# -- the guard


@linux
def test_a_run_whose_guard_was_killed_is_lost_and_leaves_nothing(machine: Machine) -> None:
    script = "sleep 1000 & setsid sleep 1000 & echo here; sleep 1000"

    async def test() -> None:
        async with machine.following(machine.launcher(script)) as run:
            await run.until(b"here\n")
            os.kill(machine.guard(), signal.SIGKILL)
            report = await run.end()
            assert (report.state, report.reason) == (RunState.LOST, Reason.LOST)
            assert f"process {machine.guard()}, was killed" in report.detail
            assert machine.processes() == []

    patiently(test())


def test_after_a_guard_was_killed_runs_start_under_another_one(machine: Machine) -> None:
    async def test() -> None:
        async with machine.following(machine.launcher("read x < gate")) as run:
            os.kill(machine.guard(), signal.SIGKILL)
            assert (await run.end()).state is RunState.LOST
            second = Follower(run.launcher, await run.launcher.launch(machine.launch(2)))
            (machine.base / "gate").write_text("\n")
            assert (await second.end()).state is RunState.SUCCEEDED
            assert machine.guard(2) != machine.guard(1)

    os.mkfifo(machine.base / "gate")
    patiently(test())


def test_a_launch_that_a_guard_was_killed_at_is_made_by_another_one(machine: Machine) -> None:
    async def test() -> None:
        async with machine.following(machine.launcher("exit 0")) as run:
            os.kill(machine.guard(), signal.SIGSTOP)
            launching = asyncio.ensure_future(run.launcher.launch(machine.launch(2)))
            await asyncio.wait([launching], timeout=0.1)
            os.kill(machine.guard(), signal.SIGKILL)
            assert (await Follower(run.launcher, await launching).end()).state is RunState.SUCCEEDED

    patiently(test())


@linux
def test_a_program_that_ended_before_the_guard_heard_of_a_stop_was_not_stopped(machine: Machine) -> None:
    async def test() -> None:
        async with machine.following(machine.launcher("echo $$; read x < gate")) as run:
            await run.until(b"\n")
            os.kill(machine.guard(), signal.SIGSTOP)
            (machine.base / "gate").write_text("\n")
            await machine.see(lambda: not identity(int(run.log)))
            await run.launcher.stop(run.handle)
            os.kill(machine.guard(), signal.SIGCONT)
            assert (await run.end()).state is RunState.SUCCEEDED

    os.mkfifo(machine.base / "gate")
    patiently(test())


def test_a_guard_ends_with_its_tuner_and_its_last_run(machine: Machine, eventually: Eventually) -> None:
    async def test() -> Follower:
        async with machine.following(machine.launcher("read x < gate; echo done")) as run:
            return run

    gate = machine.base / "gate"
    os.mkfifo(gate)
    patiently(test())
    guard = machine.guard()
    assert identity(guard), "the guard must stay while its run does"
    gate.write_text("\n")
    eventually(lambda: not identity(guard))


def test_a_guard_starts_light() -> None:
    code = (
        f"import sys; sys.path.append({os.fspath(Path.cwd())!r}); import hpo.launchers.process.guard;"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    heavy = {"asyncio", "dataclasses", "pathlib", "pydantic", "socket", "subprocess", "threading"}
    assert not heavy.intersection(done.stdout.split())


# -- the tuner


TUNER = """
import asyncio, sys
from pathlib import Path
from tests.launchers.machine import Machine

async def tune():
    machine = Machine(Path(sys.argv[1]))
    launcher = machine.launcher("echo before; read x < gate; echo after; exit 3")
    print((await launcher.launch(machine.launch())).id, flush=True)
    await asyncio.sleep(1000)

asyncio.run(tune())
"""


def test_a_run_outlives_its_tuner_and_its_end_is_found(machine: Machine) -> None:
    gate = machine.base / "gate"
    os.mkfifo(gate)
    tuner = subprocess.Popen([sys.executable, "-c", TUNER, machine.base], stdout=subprocess.PIPE, text=True)
    assert tuner.stdout is not None
    handle = JobHandle("process", tuner.stdout.readline().strip())
    tuner.kill()
    tuner.stdout.close()
    tuner.wait()

    async def next_tuner() -> None:
        launcher = machine.launcher("exit 1 # never started")
        assert await launcher.find(machine.launch()) == handle
        assert await launcher.launch(machine.launch()) == handle
        run = Follower(launcher, handle)
        await run.until(b"before\n")
        gate.write_text("\n")
        report = await run.end()
        assert report.detail == "exit status 3; its last lines:\nbefore\nafter"
        assert run.log == b"before\nafter\n"
        await launcher.close()

    patiently(next_tuner())


def test_a_run_that_ended_between_two_tuners_is_found(machine: Machine, eventually: Eventually) -> None:
    async def first() -> JobHandle:
        async with machine.following(machine.launcher("exit 3")) as run:
            return run.handle

    handle = patiently(first())
    eventually(lambda: not identity(machine.guard()))

    async def second() -> None:
        launcher = machine.launcher("exit 3")
        assert set(await launcher.changed([handle])) == {handle}
        assert (await launcher.poll([handle]))[handle].reason is Reason.EXIT_STATUS
        await launcher.close()

    patiently(second())


def test_an_orphaned_run_can_be_stopped(machine: Machine) -> None:
    async def first() -> JobHandle:
        async with machine.following(machine.launcher("sleep 1000")) as run:
            return run.handle

    async def second(handle: JobHandle) -> None:
        launcher = machine.launcher("sleep 1000")
        await launcher.stop(handle)
        assert (await Follower(launcher, handle).end()).state is RunState.STOPPED
        await launcher.close()

    patiently(second(patiently(first())))


def test_a_job_can_be_moved(machine: Machine) -> None:
    report, _ = patiently(machine.run(machine.launcher("echo here; exit 3")))
    moved = Machine(machine.base / "elsewhere")
    moved.home.parent.mkdir()
    machine.home.rename(moved.home)

    async def test() -> None:
        handle = await moved.launcher("true").find(moved.launch())
        assert handle is not None
        follower = Follower(moved.launcher("true"), handle)
        assert await follower.end() == report
        assert follower.log == b"here\n"

    patiently(test())


def test_another_boot_s_run_is_lost(machine: Machine) -> None:
    folder = machine.folder()
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text('{"guard": "1 1 other"}\n')

    async def test() -> None:
        launcher = machine.launcher("true")
        handle = await launcher.launch(machine.launch())
        report = (await launcher.poll([handle]))[handle]
        assert report.state is RunState.LOST
        assert "restarted" in report.detail

    patiently(test())


@pytest.mark.parametrize(
    "text", ["", "{}\n", '{"guard": 1}\n', '{"guard": "1 1 1"}\n{}\n', "\0\0\0\n", "1\n"]
)
def test_a_damaged_record_is_a_lost_run(machine: Machine, text: str) -> None:
    folder = machine.folder()
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text(text)

    async def test() -> None:
        launcher = machine.launcher("true")
        handle = await launcher.launch(machine.launch())
        assert (await launcher.poll([handle]))[handle].state is RunState.LOST
        await launcher.close()

    patiently(test())


# -- the folder


def test_a_program_that_deletes_its_folder_is_still_told_of(machine: Machine) -> None:
    report, _ = patiently(machine.run(machine.launcher('rm -r "$HPO_RUN_FOLDER"; exit 3')))
    assert (report.state, report.reason) == (RunState.FAILED, Reason.EXIT_STATUS)

    async def later() -> None:
        launcher = machine.launcher("true")
        handle = await launcher.launch(machine.launch())
        assert (await launcher.poll([handle]))[handle].reason is Reason.EXIT_STATUS
        await launcher.close()

    patiently(later())


@pytest.mark.parametrize("patience", [0.0, 0.3])
def test_the_end_is_noticed_of_a_program_that_deleted_its_folder(machine: Machine, patience: float) -> None:
    async def test() -> None:
        script = 'echo here; read x < gate; rm -r "$HPO_RUN_FOLDER"; : > deleted; read x < gate; exit 3'
        async with machine.following(machine.launcher(script)) as run:
            await run.until(b"here\n")
            (machine.base / "gate").write_text("\n")
            await machine.see((machine.base / "deleted").exists)
            ending = asyncio.ensure_future(run.end())
            await asyncio.wait([ending], timeout=patience)  # until it waits for a change
            (machine.base / "gate").write_text("\n")
            assert (await ending).detail == "exit status 3"

    os.mkfifo(machine.base / "gate")
    patiently(test())


def test_a_program_that_deleted_its_folder_can_be_stopped(machine: Machine) -> None:
    async def test() -> None:
        script = 'echo here; read x < gate; rm -r "$HPO_RUN_FOLDER"; : > deleted; sleep 1000'
        async with machine.following(machine.launcher(script)) as run:
            await run.until(b"here\n")
            (machine.base / "gate").write_text("\n")
            await machine.see((machine.base / "deleted").exists)
            await run.launcher.stop(run.handle)
            assert (await run.end()).state is RunState.STOPPED

    os.mkfifo(machine.base / "gate")
    patiently(test())


def test_a_guard_does_not_bring_a_deleted_job_back(machine: Machine, eventually: Eventually) -> None:
    async def test() -> None:
        async with machine.following(machine.launcher("echo here; read x < gate")) as run:
            await run.until(b"here\n")

    gate = machine.base / "gate"
    os.mkfifo(gate)
    patiently(test())
    guard = machine.guard()
    shutil.rmtree(machine.home / "jobs" / "job")
    gate.write_text("\n")
    eventually(lambda: not identity(guard))
    assert not (machine.home / "jobs" / "job").exists()
