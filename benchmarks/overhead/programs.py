"""The trials' programs, and the times that they note themselves.

Each appends `start` and `end` with the time to the file $MARKS: small appends by many processes stay
whole. All print `loss=…`, and those of sh the same in Syne Tune's words.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

METRIC = r"loss=(\S+)"

_AROUND = """date "+start %s.%N" >>"$MARKS"
{body}echo loss=0.5
echo '[tune-metric]: {{"loss": 0.5, "st_worker_iter": 0, "st_worker_timestamp": 0, "st_worker_time": 0}}'
exec date "+end %s.%N" >>"$MARKS"
"""

_PRINTER = """
import sys, time
for _ in range(int(sys.argv[1])):
    print(f"loss={time.time()!r}", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A script, and the command that runs it once it lies in a file."""

    text: str
    interpreter: tuple[str, ...] = ("sh",)
    arguments: tuple[str, ...] = ()

    def write(self, folder: Path) -> list[str]:
        """Write the script into a folder and return the command."""
        script = folder / "program"
        script.write_text(self.text, encoding="utf-8")
        return [*self.interpreter, str(script), *self.arguments]


TINY = Program(_AROUND.format(body="awk 'BEGIN { while (i < 20000) i++ }'\n"))
"""Is over after about 5 ms of CPU, those of starting its shell, awk and twice date included."""


def sleeper(seconds: float) -> Program:
    """Return a program that sleeps."""
    return Program(_AROUND.format(body=f"sleep {seconds:g}\n"))


def talker(file: Path) -> Program:
    """Return a program that prints a file."""
    return Program(_AROUND.format(body=f"cat '{file}'\n"))


def printer(lines: int, every: float) -> Program:
    """Return a program that prints lines whose value is the time at which each was printed."""
    return Program(_PRINTER, (sys.executable, "-I", "-S"), (str(lines), f"{every:g}"))


@dataclass(frozen=True, slots=True)
class Marks:
    """When programs started and ended, in seconds since the epoch."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]

    @classmethod
    def read(cls, file: Path) -> Marks:
        """Read what the programs noted; nothing where none has started."""
        lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
        words = [line.split() for line in lines]
        return cls(
            tuple(sorted(float(time) for what, time in words if what == "start")),
            tuple(sorted(float(time) for what, time in words if what == "end")),
        )

    @property
    def window(self) -> float:
        """The seconds from the first start to the last end."""
        return self.ends[-1] - self.starts[0]
