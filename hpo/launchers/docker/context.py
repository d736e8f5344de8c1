"""Which engine is meant, as Docker's own command line would find it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import docker.errors
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env

from hpo.errors import CannotStart
from hpo.spec.paths import expanded

if TYPE_CHECKING:
    from pydantic import JsonValue

DEFAULT = "default"
"""The context of DOCKER_HOST, else of this machine's engine."""

Settings = Mapping[str, str | TLSConfig]


def settings(context: str | None) -> Settings:
    """Return how the engine of a context is reached; by default that of DOCKER_HOST, else the current one.

    Raises CannotStart for a context that there is not, or that cannot be read.
    """
    if context is None and os.environ.get("DOCKER_HOST"):
        context = DEFAULT
    name = context or os.environ.get("DOCKER_CONTEXT") or _current()
    if name == DEFAULT:
        try:
            return cast("Settings", kwargs_from_env())
        except docker.errors.TLSParameterError as error:
            raise CannotStart(f"DOCKER_HOST cannot be used: {error}") from error
    digest = hashlib.sha256(name.encode()).hexdigest()
    try:
        return _endpoint(_contexts() / "meta" / digest / "meta.json", _contexts() / "tls" / digest / "docker")
    except FileNotFoundError:
        names = ", ".join([DEFAULT, *_names()])
        raise CannotStart(f"there is no Docker context `{name}`; there are {names}") from None
    except (OSError, ValueError, LookupError, TypeError, docker.errors.TLSParameterError) as error:
        raise CannotStart(
            f"the Docker context `{name}` cannot be used: {error}; `docker context inspect {name}` shows it"
        ) from error


def _endpoint(meta: Path, keys: Path) -> Settings:
    endpoint = json.loads(meta.read_bytes())["Endpoints"]["docker"]
    host = {"base_url": str(endpoint["Host"])}
    own = {part: keys / f"{part}.pem" for part in ("ca", "cert", "key")}
    there = {part: str(path) for part, path in own.items() if path.exists()}
    if not there and not endpoint.get("SkipTLSVerify"):
        return host
    client = (there["cert"], there["key"]) if "cert" in there else None
    verify = not endpoint.get("SkipTLSVerify")
    return {**host, "tls": TLSConfig(client_cert=client, ca_cert=there.get("ca"), verify=verify)}


def _names() -> list[str]:
    """Return the names of the contexts that were made, in their order."""
    found = (json.loads(path.read_bytes()) for path in (_contexts() / "meta").glob("*/meta.json"))
    return sorted(str(each["Name"]) for each in found)


def _current() -> str:
    try:
        config: Mapping[str, JsonValue] = json.loads((_folder() / "config.json").read_bytes())
    except (OSError, ValueError):
        return DEFAULT
    return str(config.get("currentContext") or DEFAULT)


def _contexts() -> Path:
    return _folder() / "contexts"


def _folder() -> Path:
    """Return where Docker keeps its settings."""
    return Path(os.environ.get("DOCKER_CONFIG") or expanded("~/.docker"))
