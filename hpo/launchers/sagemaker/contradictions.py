"""What does not go together in the options: told from the text, so that no other mistake hides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_core import PydanticCustomError

from hpo.spec.section import mistake

_OF_AN_IMAGE = ("image_access", "image_credentials", "command", "arguments", "entry_point", "source_dir")
_NEEDS = (
    ("max_wait", "spot", "spot: true"),
    ("requirements", "source_dir", "requirements are packed with the folder"),
    ("image_credentials", "image_access", "image_access: vpc"),
)
_OR = (("instance_types", "instance_type", "instance_groups"), ("image", "algorithm"))
_NOT_BOTH = (
    (
        "command",
        "entry_point",
        "a command starts the program itself, an entry point leaves that to the image",
    ),
    ("command", "arguments", "a command has its arguments in it"),
    ("entry_point", "arguments", "the image gives the program its parameters as arguments"),
    ("keep_alive", "spot", "SageMaker keeps no spot machines ready"),
    ("training_plan", "spot", "a training plan's machines are no spot machines"),
    ("instance_groups", "instance_count", "each group has its own count"),
)


def contradictions(options: object) -> Iterator[PydanticCustomError]:
    """Yield what does not go together in the options as written, whatever else is wrong with them."""
    if not isinstance(options, dict):
        return
    given = {key: value for key, value in options.items() if value is not None and value is not False}
    yield from _one_of_each(given)
    for first, second, why in _NOT_BOTH:
        if first in given and second in given:
            yield _at(first, f"`{second}` is given, too: {why}", "keep one of the two")
    for key, needed, hint in _NEEDS:
        if key in given and needed not in given:
            yield _at(key, f"it needs `{needed}`", hint)
    if "algorithm" in given:
        for key in _OF_AN_IMAGE:
            if key in given:
                yield _at(key, "it is for an image, and `algorithm` names none", "give `image` instead")
    yield from _script(given)
    yield from _file_systems(given)


def _one_of_each(given: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    for names in _OR:
        there = [name for name in names if name in given]
        if not there:
            choice = " or ".join(f"`{name}`" for name in names)
            yield mistake(f"it must have {choice}", hint="exactly one of them")
        for other in there[1:]:
            yield _at(other, f"`{there[0]}` is given, too", "keep one of the two")


def _script(given: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    has_folder, has_program = "source_dir" in given, "entry_point" in given
    if has_program and not has_folder:
        yield _at("entry_point", "it needs `source_dir`", "the folder that the program lies in")
    if has_folder and not has_program:
        yield _at("source_dir", "it needs `entry_point`", "the program in it: train.py")


def _file_systems(given: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    channels = given.get("channels")
    if not isinstance(channels, dict) or "vpc" in given:
        return
    for name, channel in channels.items():
        if isinstance(channel, dict) and channel.get("file_system") is not None:
            text = "a file system is reached through a VPC only"
            yield mistake(text, hint="give `launcher.vpc`", at=("channels", str(name), "file_system"))


def _at(key: str, text: str, hint: str) -> PydanticCustomError:
    return mistake(text, hint=hint, at=(key,))
