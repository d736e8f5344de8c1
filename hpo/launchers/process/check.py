"""What would keep every local run from starting, found before the first one is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from hpo.launchers.channels import channel_obstacles
from hpo.launchers.contract import script_of
from hpo.launchers.environment import missing_secrets, text_of
from hpo.launchers.gpus import too_few
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.process.options import ProcessOptions

_COMMAND = ("launcher", "command")


def obstacles(
    options: ProcessOptions, context: JobContext, *, workdir: Path, gpus: Sequence[str]
) -> Iterator[Obstacle]:
    """Yield what is missing for any run to start; `gpus` are those to choose from."""
    if not workdir.is_dir():
        yield Obstacle(("launcher", "workdir"), f"there is no folder {workdir}")
    else:
        yield from (Obstacle(_COMMAND, problem) for problem in _program_problems(options, workdir))
        yield from (Obstacle(_COMMAND, problem) for problem in _script_problems(options.command, workdir))
    yield from channel_obstacles(context)
    for key, problem in missing_secrets(options.env_from, context.base):
        yield Obstacle(("launcher", "env_from", key), problem)
    if options.gpus > len(gpus):
        yield Obstacle(("launcher", "gpus"), too_few(gpus, options.gpus))


def _program_problems(options: ProcessOptions, workdir: Path) -> Iterator[str]:
    program = options.command[0]
    if "{" in program:
        return
    if "/" in program:
        path = workdir / program
        if not path.exists():
            yield f"there is no {path}{_closest(path.name, path.parent)}"
        elif path.is_dir() or not os.access(path, os.X_OK):
            yield f"{path} is not executable; `chmod +x {path}`, or name its interpreter before it"
        return
    given = options.env.get("PATH")
    folders = (text_of(given) if given is not None else os.environ.get("PATH", os.defpath)).split(os.pathsep)
    if not any(_is_program(workdir / folder / program) for folder in folders):
        local = f"; `./{program}` is in {workdir}" if (workdir / program).is_file() else ""
        hint = local or _closest(program, *(workdir / folder for folder in folders))
        yield f"no program {program} on the PATH ({os.pathsep.join(folders)}){hint}"


def _script_problems(command: Sequence[str], workdir: Path) -> Iterator[str]:
    script = script_of(command[1:2])
    if script and "{" not in script and not (path := workdir / script).exists():
        yield f"there is no {path}{_closest(path.name, path.parent)}"


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _closest(name: str, *folders: Path) -> str:
    names = {entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()}
    import difflib

    found = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {found[0]}?" if found else ""
