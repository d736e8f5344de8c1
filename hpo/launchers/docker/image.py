"""The image of a job's containers: there already, pulled, or built from a folder."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from docker.utils.build import create_archive, exclude_paths

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.docker.answers import Image
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import EngineDown
from hpo.launchers.docker.options import Build, DockerOptions
from hpo.launchers.environment import text_of
from hpo.launchers.launcher import JobContext
from hpo.spec.paths import expanded

BUILT = "hpo-build"
"""The repository of the images that hpo builds; their tag is the digest of what they are built from."""

_SHOWN = 30
"""Lines of a failed build's output that are shown."""
_DOCKERFILE = ".hpo.Dockerfile"  # its name in the archive, where it lies outside of the build's folder


class ImageSource:
    """Sees to it that the engine has the job's image."""

    def __init__(self, engine: Engine, options: DockerOptions, context: JobContext) -> None:
        self._engine = engine
        self._options = options
        self._base = context.base
        self._say = context.say
        self._turn = threading.Lock()  # it is pulled or built once, whoever asks first
        self._found: tuple[str, Image] | None = None

    def image(self, *, again: bool = False) -> tuple[str, Image]:
        """Return the image's name and what it says of itself; `again` where it has vanished since.

        Raises CannotStart where it cannot be had, with the registry's words or the build's output.
        """
        with self._turn:
            if self._found is None or again:
                self._found = self._built(self._options.build) if self._options.build else self._pulled()
            return self._found

    def _pulled(self) -> tuple[str, Image]:
        name, pull = str(self._options.image), self._options.pull
        found = self._engine.image(name) if pull != "always" else None
        if found is not None:
            return name, found
        if pull == "never":
            raise CannotStart(f"the engine has no image {name}, and `pull: never` forbids to pull it")
        self._say(f"pulling {name}")
        try:
            self._engine.pull(name, platform=self._options.platform)
        except EngineDown:
            raise
        except LauncherError as error:
            raise CannotStart(f"the image {name} cannot be pulled: {error}") from error
        return name, self._present(name)

    def _built(self, build: Build) -> tuple[str, Image]:
        folder = self._path(build.folder)
        dockerfile = self._path(build.dockerfile) if build.dockerfile else folder / "Dockerfile"
        if not dockerfile.is_file():
            raise CannotStart(f"there is no {dockerfile}")
        recipe = dockerfile.read_bytes()
        inside = dockerfile.relative_to(folder).as_posix() if dockerfile.is_relative_to(folder) else None
        files = sorted(exclude_paths(str(folder), _ignored(folder), dockerfile=inside or _DOCKERFILE))
        args = {name: text_of(value) for name, value in build.args.items()}
        settings = repr((recipe, sorted(args.items()), build.target, self._options.platform))
        tag = f"{BUILT}:{_digest(folder, files, settings)[:16]}"
        if (found := self._engine.image(tag)) is not None:
            return tag, found
        self._say(f"building the image {tag} from {folder}")
        extra: list[tuple[str, str]] = []
        if not inside:  # the image is to have neither: the engine takes out what its .dockerignore names
            ignored = "\n".join([*_ignored(folder), ".dockerignore", _DOCKERFILE])
            extra = [(_DOCKERFILE, recipe.decode(errors="replace")), (".dockerignore", f"{ignored}\n")]
            files = [name for name in files if name != ".dockerignore"]
        output: deque[str] = deque(maxlen=_SHOWN)
        with tempfile.TemporaryFile() as file:
            create_archive(str(folder), files=files, fileobj=file, extra_files=extra)
            file.seek(0)
            try:
                for text in self._engine.build(
                    file,
                    tag,
                    dockerfile=inside or _DOCKERFILE,
                    args=args,
                    target=build.target,
                    platform=self._options.platform,
                ):
                    output.extend(line for line in text.splitlines() if line.strip())
            except EngineDown:
                raise
            except LauncherError as error:
                shown = "\n".join(f"  | {line}" for line in output)
                raise CannotStart(f"the image of {folder} cannot be built: {error}\n{shown}") from error
        return tag, self._present(tag)

    def _present(self, name: str) -> Image:
        found = self._engine.image(name)
        if found is None:
            raise CannotStart(f"the image {name} vanished from the engine")
        return found

    def _path(self, given: str) -> Path:
        return (self._base / expanded(given)).resolve()


def _ignored(folder: Path) -> list[str]:
    """Return the patterns of a folder's .dockerignore."""
    with contextlib.suppress(FileNotFoundError):
        lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return []


def _digest(folder: Path, files: Sequence[str], settings: str) -> str:
    """Return what changes whenever the image built with these settings from these files may."""
    digest = hashlib.sha256(settings.encode())
    for name in files:
        path = folder / name
        digest.update(f"\0{name}\0{path.lstat().st_mode & 0o111}\0".encode(errors="surrogateescape"))
        if path.is_symlink():
            digest.update(str(path.readlink()).encode(errors="surrogateescape"))
        elif path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
