"""Which types of machines SageMaker has, as the installed botocore knows."""

from __future__ import annotations

from collections.abc import Iterator

from hpo.launchers.launcher import Obstacle
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.spec.explain import did_you_mean


def machine_obstacles(options: SageMakerOptions) -> Iterator[Obstacle]:
    """Yield the types of machines that are not known."""
    known = known_types()
    for path, name in _types(options):
        if known and name not in known:
            way_on = "a new one needs a newer botocore: pip install -U boto3"
            yield Obstacle(path, f"no type of machine {name} is known{did_you_mean(name, known)}; {way_on}")


def known_types() -> list[str]:
    """Return the types that training jobs can have; none without botocore."""
    try:
        import botocore.session
    except ImportError:  # what asks AWS says that it is missing
        return []
    service = botocore.session.Session().get_service_model("sagemaker")
    return list(service.shape_for("TrainingInstanceType").enum)


def _types(options: SageMakerOptions) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if options.instance_type is not None:
        yield ("launcher", "instance_type"), options.instance_type
    elif options.instance_groups:
        for index, group in enumerate(options.instance_groups):
            yield ("launcher", "instance_groups", index, "type"), group.type
    else:
        for index, name in enumerate(options.instance_types):
            yield ("launcher", "instance_types", index), name
