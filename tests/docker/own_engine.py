"""A Docker engine of a test's own, which it may stop, kill and start again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.command_line import PATIENCE
from tests.docker_engine import IMAGE


def missing() -> str:
    """Return why no engine can be started here; "" where it can."""
    if os.geteuid() != 0:
        return "only root can start a Docker engine"
    return "" if shutil.which("dockerd") else "there is no program dockerd"


class OwnEngine:
    """An engine without a network of its own; `live_restore` lets containers outlive it.

    It does not see what lies in the folder `hidden`, as if it ran on another machine.
    """

    def __init__(self, folder: Path, *, live_restore: bool = False, hidden: Path | None = None) -> None:
        self._folder = folder
        hiding = ["--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec dockerd "$@"', str(hidden)]
        self._program = hiding if hidden else ["dockerd"]
        self._options = ["--live-restore"] if live_restore else []
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self.make_ready()

    @property
    def address(self) -> str:
        return f"unix://{self._folder}/sock"

    def __call__(self, *args: str, text: bytes | None = None) -> str:
        """Return what `docker ARGS` says of this engine."""
        command = ["docker", "--host", self.address, *args]
        return subprocess.run(command, check=True, capture_output=True, input=text).stdout.decode()

    def make_ready(self) -> None:
        """See to it that the engine runs, and has the tests' image."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        if not self("images", "--quiet", IMAGE):
            saved = subprocess.run(["docker", "save", IMAGE], check=True, capture_output=True)
            self("load", text=saved.stdout)

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        own = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # In a network of its own: without a bridge it would delete that of the machine's engine.
                    *("unshare", "--net", *self._program),
                    f"--host={self.address}",
                    *(f"--{option}={self._folder}/{name}" for option, name in own.items()),
                    *("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End the engine; its containers end with it, unless they are to outlive it."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    def close(self) -> None:
        """End the engine and all its containers."""
        if self._process is not None and self._process.poll() is not None:
            self.start()
        if containers := self("ps", "--all", "--quiet").split():
            self("rm", "--force", *containers)
        self.stop()
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(str(self._folder)):
                subprocess.run(["umount", "--lazy", mount], check=True)
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        command = ["docker", "--host", self.address, "info"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
