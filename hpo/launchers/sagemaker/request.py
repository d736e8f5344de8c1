"""What is asked of SageMaker for one run: from options and parameters to the body of CreateTrainingJob."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpo.core.trial import Launch
from hpo.errors import CannotStart
from hpo.launchers import contract
from hpo.launchers.environment import text_of
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.sagemaker.fields import LONGEST_RUN, OWN_TAGS
from hpo.launchers.sagemaker.input_data import INPUT_MODES, channel_names, channel_obstacles, input_data
from hpo.launchers.sagemaker.limits import (
    MOST_WORDS,
    hyperparameter_obstacles,
    metric_obstacles,
    variable_obstacles,
    word_obstacles,
)
from hpo.launchers.sagemaker.machine_types import machine_obstacles
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.pack import source_obstacles
from hpo.launchers.sagemaker.variables import ML, ToolkitVariables, certain_variables
from hpo.spec.nodes import dotted
from hpo.spec.space import Values

Body = dict[str, object]

_DAY = 86400
"""Seconds that a training job runs where nobody says for how long."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found out before the first launch."""

    role: str  # an ARN
    output: str  # s3://bucket/prefix, without a slash at its end
    inputs: Mapping[str, str]  # channel → address in S3; what lies here was uploaded
    source: str | None  # the address of sourcedir.tar.gz
    region: str


class Recipe:
    """Makes the request for each run of a job; asks nobody."""

    def __init__(self, context: JobContext, options: SageMakerOptions) -> None:
        self._context = context
        self._options = options
        self._metrics = (
            [{"Name": name, "Regex": regex} for name, regex in context.metrics.items()]
            if options.metric_definitions or (options.metric_definitions is None and options.image)
            else []
        )
        program = options.command or options.arguments
        channels = channel_names(context, options)
        self._toolkit = ToolkitVariables(program, channels) if program else None

    @property
    def max_run(self) -> int:
        """The seconds after which SageMaker stops a run."""
        options = self._options
        given = options.max_run or self._context.max_job_runtime or min(_DAY, options.max_wait or _DAY)
        return math.ceil(min(given, LONGEST_RUN))

    @property
    def max_wait(self) -> int | None:
        """The seconds for which a run may wait for spot machines and run; None where it has others."""
        if not self._options.spot:
            return None
        return math.ceil(self._options.max_wait or min(2 * self.max_run, LONGEST_RUN))

    def request(
        self,
        launch: Launch,
        *,
        name: str,
        instance_type: str,
        resolved: Resolved,
        secrets: Mapping[str, str],
    ) -> Body:
        """Return the body of CreateTrainingJob.

        `name` is the training job's and ends with the run's number: what is before that is the same
        for all runs of a trial. Raises CannotStart for what SageMaker would not take.
        """
        options = self._options
        params = {**self._context.fixed, **launch.params}
        texts = self._hyperparameters(params, name=name, resolved=resolved)
        words = self._words(params)
        variables = certain_variables(launch, options, secrets)
        for problem in self._unfit(texts, words, variables, secrets):
            raise CannotStart(f"`{dotted(problem.path)}`: {problem.message}")
        if self._toolkit is not None:
            variables |= self._toolkit.fitting(params, variables, name=name)
        body: Body = {
            "TrainingJobName": name,
            "RoleArn": resolved.role,
            "AlgorithmSpecification": self._algorithm(words),
            "HyperParameters": texts,
            "Environment": variables,
            "OutputDataConfig": self._output(resolved.output),
            "ResourceConfig": self._resources(instance_type),
            "StoppingCondition": self._stopping(),
            "Tags": self._tags(launch),
            "ProfilerConfig": self._profiler(resolved.output),
        }
        if channels := input_data(options, resolved.inputs, resolved.source):
            body["InputDataConfig"] = channels
        body |= self._kept(launch, resolved.output, name=name)
        return body | self._surroundings() | self._records(name)

    def problems(self) -> Iterator[Obstacle]:
        """Yield what SageMaker would not take of any run, as far as it shows without asking AWS."""
        context, options = self._context, self._options
        yield from channel_obstacles(context, options)
        yield from source_obstacles(context, options)
        if self._metrics:
            yield from metric_obstacles(context.metrics)
        nowhere = Resolved("", "", {}, "", "")
        texts = self._hyperparameters(context.fixed, name="", resolved=nowhere)
        # What is given by reference is read when a run starts; here only how many these are counts.
        variables = certain_variables(
            Launch(context.job, 1, 1, {}), options, dict.fromkeys(options.env_from, "")
        )
        yield from self._unfit(texts, self._words(context.fixed), variables, {})
        yield from machine_obstacles(options)
        if self.max_wait is not None and self.max_wait < self.max_run:
            text = f"it must not be less than limits.max_job_runtime, which is {self.max_run} seconds"
            yield Obstacle(("launcher", "max_wait"), text)

    def _unfit(
        self,
        texts: Mapping[str, str],
        words: Sequence[str],
        variables: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> Iterator[Obstacle]:
        yield from hyperparameter_obstacles(texts, self._context.fixed)
        if self._options.command:
            yield from word_obstacles("command", words, most=2 * MOST_WORDS)
        else:
            yield from word_obstacles("arguments", words, most=MOST_WORDS)
        yield from variable_obstacles(variables, secrets)

    def _hyperparameters(self, params: Values, *, name: str, resolved: Resolved) -> dict[str, str]:
        if not self._options.is_script:
            return contract.hyperparameters(params)
        # The toolkit reads each as JSON where it can: texts go in quotes, to stay texts.
        source = resolved.source
        if source is not None and self._options.isolated:  # it comes in its channel, under its own name
            source = f"{ML}/input/data/code/{source.rpartition('/')[2]}"
        own = {
            "sagemaker_program": self._options.entry_point,
            "sagemaker_submit_directory": source,
            "sagemaker_region": resolved.region,
            "sagemaker_container_log_level": 20,
            "sagemaker_job_name": name,
        }
        return {key: json.dumps(value) for key, value in {**params, **own}.items()}

    def _words(self, params: Values) -> list[str]:
        program = self._options.command or self._options.arguments
        return contract.command_line(program, params) if program else []

    def _algorithm(self, words: Sequence[str]) -> Body:
        options = self._options
        body: Body = {"TrainingInputMode": INPUT_MODES[options.input_mode]}
        body |= {"TrainingImage": options.image} if options.image else {"AlgorithmName": options.algorithm}
        if self._metrics:
            body["MetricDefinitions"] = self._metrics
        if options.metrics_time_series is not None:
            body["EnableSageMakerMetricsTimeSeries"] = options.metrics_time_series
        if options.command:  # what the arguments have no room for goes to the entry point
            first = max(1, len(words) - MOST_WORDS)
            body["ContainerEntrypoint"], words = list(words[:first]), words[first:]
        if words:
            body["ContainerArguments"] = list(words)
        if options.image_access is not None:
            access: Body = {"TrainingRepositoryAccessMode": options.image_access.capitalize()}
            if options.image_credentials is not None:
                provider = {"TrainingRepositoryCredentialsProviderArn": options.image_credentials}
                access["TrainingRepositoryAuthConfig"] = provider
            body["TrainingImageConfig"] = access
        return body

    def _output(self, output: str) -> Body:
        body: Body = {"S3OutputPath": output}
        if self._options.output_key is not None:
            body["KmsKeyId"] = self._options.output_key
        if self._options.output_compression == "none":
            body["CompressionType"] = "NONE"
        return body

    def _resources(self, instance_type: str) -> Body:
        options = self._options
        body: Body = {"VolumeSizeInGB": options.volume}
        if options.instance_groups:
            body["InstanceGroups"] = [
                {"InstanceGroupName": group.name, "InstanceType": group.type, "InstanceCount": group.count}
                for group in options.instance_groups
            ]
        else:
            body |= {"InstanceType": instance_type, "InstanceCount": options.instance_count}
        if options.volume_key is not None:
            body["VolumeKmsKeyId"] = options.volume_key
        if options.keep_alive is not None:
            body["KeepAlivePeriodInSeconds"] = math.ceil(options.keep_alive)
        if options.training_plan is not None:
            body["TrainingPlanArn"] = options.training_plan
        return body

    def _stopping(self) -> Body:
        body: Body = {"MaxRuntimeInSeconds": self.max_run}
        if self.max_wait is not None:
            body["MaxWaitTimeInSeconds"] = self.max_wait
        if self._options.max_pending is not None:
            body["MaxPendingTimeInSeconds"] = math.ceil(self._options.max_pending)
        return body

    def _tags(self, launch: Launch) -> list[Body]:
        own = zip(OWN_TAGS, (launch.job, str(launch.trial), str(launch.run)), strict=True)
        tags = {**{key: text_of(value) for key, value in self._options.tags.items()}, **dict(own)}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _profiler(self, output: str) -> Body:
        if not self._options.profiler:
            return {"DisableProfiler": True}
        return {"DisableProfiler": False, "S3OutputPath": output}

    def _kept(self, launch: Launch, output: str, *, name: str) -> Body:
        """Return where files go while a run lasts: checkpoints by trial and repeat, for its next run."""
        options, body = self._options, Body()
        if options.checkpoints is not None or options.spot:
            given = options.checkpoints
            place = (given and given.s3) or f"{output}/checkpoints"
            repeat = f"-repeat-{launch.repeat}" if launch.repeat > 1 else ""
            trial = name.removesuffix(f"-{launch.run}") + repeat
            body["CheckpointConfig"] = {
                "S3Uri": f"{place}/{trial}",
                "LocalPath": given.path if given else f"{ML}/checkpoints",
            }
        if (board := options.tensorboard) is not None:
            place = f"{board.s3 or f'{output}/tensorboard'}/{name}"
            body["TensorBoardOutputConfig"] = {"S3OutputPath": place, "LocalPath": board.path}
        return body

    def _surroundings(self) -> Body:
        options, body = self._options, Body()
        if options.vpc is not None:
            body["VpcConfig"] = {
                "Subnets": list(options.vpc.subnets),
                "SecurityGroupIds": list(options.vpc.security_groups),
            }
        if options.spot:
            body["EnableManagedSpotTraining"] = True
        if options.isolated:
            body["EnableNetworkIsolation"] = True
        if options.encrypt_traffic:
            body["EnableInterContainerTrafficEncryption"] = True
        if options.retry_attempts is not None:
            body["RetryStrategy"] = {"MaximumRetryAttempts": options.retry_attempts}
        if options.remote_debug:
            body["RemoteDebugConfig"] = {"EnableRemoteDebug": True}
        if options.infra_check:
            body["InfraCheckConfig"] = {"EnableInfraCheck": True}
        if options.session_chaining:
            body["SessionChainingConfig"] = {"EnableSessionTagChaining": True}
        return body

    def _records(self, name: str) -> Body:
        options, body = self._options, Body()
        if (experiment := options.experiment) is not None:
            named = {
                "ExperimentName": experiment.name,
                "TrialName": experiment.trial,
                "TrialComponentDisplayName": experiment.component,
                "RunName": experiment.run,
            }
            body["ExperimentConfig"] = {key: value for key, value in named.items() if value is not None}
        if (mlflow := options.mlflow) is not None:
            body["MlflowConfig"] = {
                "MlflowResourceArn": mlflow.arn,
                "MlflowRunName": name,
                **({"MlflowExperimentName": mlflow.experiment} if mlflow.experiment else {}),
            }
        if (package := options.model_package) is not None:
            body["ModelPackageConfig"] = {
                "ModelPackageGroupArn": package.group,
                **({"SourceModelPackageArn": package.source} if package.source else {}),
            }
        return body
