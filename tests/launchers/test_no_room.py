"""What happens to runs when the disk or the memory gives out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo.core.trial import Reason, RunState
from tests.conformance.following import Follower, patiently
from tests.launchers.machine import Machine
from tests.small_disk import small_disk

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


# -- the disk


@pytest.fixture
def disk(machine: Machine) -> Iterator[Path]:
    """The state folder on a disk of 256 KiB."""
    with small_disk(machine.home, size="256k") as disk:
        yield disk


FILL = "n=0; while echo x > home/fill-$n; do n=$((n + 1)); done 2> /dev/null"


@pytest.mark.usefixtures("disk")
def test_a_full_disk_keeps_no_end_from_being_recorded(machine: Machine) -> None:
    report, _ = patiently(machine.run(machine.launcher(f"echo here; {FILL}; exit 3")))
    assert report.detail == "exit status 3; its last lines:\nhere"


@pytest.mark.usefixtures("disk")
def test_an_end_is_recorded_when_there_is_room_for_it(machine: Machine) -> None:
    script = f"rm -r $HPO_RUN_FOLDER; {FILL}; : > full; exit 3"

    async def test() -> None:
        async with machine.following(machine.launcher(script)) as run:
            await machine.see(lambda: (machine.base / "full").exists() and not machine.processes())
            assert (await run.look()).state is RunState.RUNNING
            (machine.home / "fill-1").unlink()
            assert (await run.end()).reason is Reason.EXIT_STATUS

    patiently(test())


def test_a_full_disk_is_told_of_when_a_run_is_to_start(machine: Machine, disk: Path) -> None:
    async def test() -> None:
        launcher = machine.launcher("echo here")
        disk.joinpath("jobs", "job").mkdir(parents=True)
        with contextlib.suppress(OSError):
            (disk / "fill").write_bytes(bytes(2**20))
        with pytest.raises(OSError, match="No space left"):
            await launcher.launch(machine.launch())
        (disk / "fill").unlink()
        run = Follower(launcher, await launcher.launch(machine.launch()))
        assert (await run.end()).state is RunState.SUCCEEDED
        assert {path.name for path in machine.folder().parent.iterdir()} == {"checkpoints", "run-1"}
        await launcher.close()

    patiently(test())


# -- the memory


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group with 64 MiB, which processes enter through a file."""
    groups = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    if "memory" in groups:
        parent, limit, entry = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "cgroup.procs"
        group = parent.joinpath(groups["memory"].lstrip("/"), "hpo-test")
    else:
        parent, limit, entry = Path("/sys/fs/cgroup"), "memory.max", "cgroup.procs"
        group = parent.joinpath(groups.get("", "/").lstrip("/"), "hpo-test")
    try:
        group.mkdir()
        (group / limit).write_text(str(64 * 2**20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield group / entry
    group.rmdir()


@linux
def test_a_program_that_the_kernel_killed_for_want_of_memory(machine: Machine, little_memory: Path) -> None:
    hungry = f'exec {sys.executable} -I -S -c "x = bytearray(2**28)"'
    report, _ = patiently(machine.run(machine.launcher(f"echo $$ > {little_memory}; {hungry}")))
    assert (report.state, report.reason) == (RunState.FAILED, Reason.OUT_OF_MEMORY), report
    assert "want of memory" in report.detail


@linux
def test_a_shell_that_passes_on_the_kill_is_out_of_memory_too(machine: Machine, little_memory: Path) -> None:
    hungry = f'{sys.executable} -I -S -c "x = bytearray(2**28)"'
    report, _ = patiently(machine.run(machine.launcher(f"echo $$ > {little_memory}; {hungry}; exit $?")))
    assert (report.state, report.reason) == (RunState.FAILED, Reason.OUT_OF_MEMORY), report
