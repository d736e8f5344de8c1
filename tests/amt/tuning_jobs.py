"""Tuning jobs as AWS describes them, and what each is as a spec."""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Training"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/digits:3"

SMALL: dict[str, Any] = {
    "HyperParameterTuningJobName": "digits",
    "HyperParameterTuningJobStatus": "Completed",
    "CreationTime": 1.7e9,
    "HyperParameterTuningJobConfig": {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:f1"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "max-depth", "MinValue": "2", "MaxValue": "32", "ScalingType": "Logarithmic"}
            ],
            "ContinuousParameterRanges": [],
            "CategoricalParameterRanges": [],
        },
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "validation:f1", "Regex": r"f1: (\S+)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://models/digits"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    },
    "TrainingJobStatusCounters": {"Completed": 18, "NonRetryableError": 2},
}
"""As little as a tuning job can be."""

SMALL_SPEC: dict[str, Any] = {
    "name": "digits",
    "strategy": "bayesian",
    "objective": {"metric": "validation:f1", "goal": "maximize"},
    "metrics": {"validation:f1": r"f1: (\S+)"},
    "parameters": {"max-depth": {"type": "integer", "min": 2, "max": 32, "scaling": "logarithmic"}},
    "limits": {"max_jobs": 20, "max_parallel_jobs": 2},
    "launcher": {
        "kind": "sagemaker",
        "image": IMAGE,
        "instance_type": "ml.m5.large",
        "instance_count": 1,
        "volume": 10,
        "max_run": "1h",
        "output": "s3://models/digits",
        "role": ROLE,
        "region": "us-east-1",
    },
}

LARGE: dict[str, Any] = {
    "HyperParameterTuningJobName": "digits-large",
    "HyperParameterTuningJobStatus": "Completed",
    "CreationTime": 1.7e9,
    "HyperParameterTuningEndTime": 1.7e9 + 7200,
    "LastModifiedTime": 1.7e9 + 7200,
    "HyperParameterTuningJobConfig": {
        "Strategy": "Hyperband",
        "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 27}},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:loss"},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": 81,
            "MaxParallelTrainingJobs": 9,
            "MaxRuntimeInSeconds": 5400,
        },
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "batch", "MinValue": "16", "MaxValue": "4096", "ScalingType": "Auto"},
                {"Name": "layers", "MinValue": "1", "MaxValue": "1e1", "ScalingType": "Linear"},
                {"Name": "seed", "MinValue": "7", "MaxValue": "7"},
            ],
            "ContinuousParameterRanges": [
                {"Name": "lr", "MinValue": "1e-4", "MaxValue": "0.5", "ScalingType": "Logarithmic"},
                {
                    "Name": "momentum",
                    "MinValue": "0.5",
                    "MaxValue": "0.999",
                    "ScalingType": "ReverseLogarithmic",
                },
            ],
            "CategoricalParameterRanges": [
                {"Name": "optimizer", "Values": ['"sgd"', '"adam"']},
                {"Name": "width", "Values": ["64", "128", "0.5", "1e2", "007", '"64"', "true"]},
            ],
        },
        "TrainingJobEarlyStoppingType": "Off",
        "TuningJobCompletionCriteria": {
            "TargetObjectiveMetricValue": 0.0,
            "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 12},
            "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
        },
        "RandomSeed": 0,
    },
    "TrainingJobDefinition": {
        "StaticHyperParameters": {
            "_tuning_objective_metric": "validation:loss",
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://code/sourcedir.tar.gz"',
            "sagemaker_container_log_level": "20",
            "sagemaker_job_name": '"digits-large"',
            "epochs": "27",
            "drop": "0.10",
            "eps": "0.001",
            "note": '"50"',
            "path": "${HOME}/x",
            "verbose": "true",
        },
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "FastFile",
            "MetricDefinitions": [
                {"Name": "validation:loss", "Regex": r"#011validation-loss:(\S+)"},
                {"Name": "epoch", "Regex": "epoch=([0-9]+)"},
            ],
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://data/train/",
                        "S3DataDistributionType": "ShardedByS3Key",
                    }
                },
                "ContentType": "text/csv",
                "CompressionType": "Gzip",
                "RecordWrapperType": "RecordIO",
                "InputMode": "Pipe",
                "ShuffleConfig": {"Seed": 0},
            },
            {
                "ChannelName": "images",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "AugmentedManifestFile",
                        "S3Uri": "s3://data/images.manifest",
                        "S3DataDistributionType": "FullyReplicated",
                        "AttributeNames": ["source-ref", "class"],
                    }
                },
                "CompressionType": "None",
                "RecordWrapperType": "None",
            },
            {
                "ChannelName": "shared",
                "DataSource": {
                    "FileSystemDataSource": {
                        "FileSystemId": "fs-0123456789abcdef0",
                        "FileSystemAccessMode": "rw",
                        "FileSystemType": "FSxLustre",
                        "DirectoryPath": "/mount/digits",
                    }
                },
            },
            {
                "ChannelName": "plain",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/plain"}},
            },
        ],
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
        "OutputDataConfig": {
            "S3OutputPath": "s3://models/digits/",
            "KmsKeyId": "alias/models",
            "CompressionType": "NONE",
        },
        "HyperParameterTuningResourceConfig": {
            "VolumeKmsKeyId": "alias/disks",
            "AllocationStrategy": "Prioritized",
            "InstanceConfigs": [
                {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
                {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
            ],
        },
        "StoppingCondition": {
            "MaxRuntimeInSeconds": 3000,
            "MaxWaitTimeInSeconds": 7205,
            "MaxPendingTimeInSeconds": 172800,
        },
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://models/checkpoints/", "LocalPath": "/opt/ml/checkpoints"},
        "RetryStrategy": {"MaximumRetryAttempts": 30},
        "Environment": {"MODE": "tuning", "PLAIN": "1", "REF": "${X}"},
    },
    "TrainingJobStatusCounters": {"Completed": 81},
    "ObjectiveStatusCounters": {"Succeeded": 81},
    "BestTrainingJob": {
        "TrainingJobName": "digits-large-001-0a1b2c3d",
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/digits-large-001-0a1b2c3d",
        "CreationTime": 1.7e9,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"batch": "16"},
    },
    "WarmStartConfig": {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "digits"}],
        "WarmStartType": "TransferLearning",
    },
    "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": 3},
    "ConsumedResources": {"RuntimeInSeconds": 7000},
}
"""Nearly everything that one can have."""

LARGE_SPEC: dict[str, Any] = {
    "name": "digits-large",
    "strategy": {"name": "hyperband", "min_resource": 1, "max_resource": 27},
    "seed": 0,
    "objective": {"metric": "validation:loss", "goal": "minimize"},
    "metrics": {"validation:loss": r"#011validation-loss:(\S+)", "epoch": "epoch=([0-9]+)"},
    "parameters": {
        "batch": {"type": "integer", "min": 16, "max": 4096},
        "layers": {"type": "integer", "min": 1, "max": 10, "scaling": "linear"},
        "lr": {"type": "continuous", "min": 1e-4, "max": 0.5, "scaling": "logarithmic"},
        "momentum": {"type": "continuous", "min": 0.5, "max": 0.999, "scaling": "reverse-logarithmic"},
        "optimizer": {"type": "categorical", "values": ["sgd", "adam"]},
        "width": {"type": "categorical", "values": [64, 128, 0.5, "1e2", "007", "64", True]},
    },
    "fixed": {
        "seed": 7,
        "epochs": 27,
        "drop": 0.1,
        "eps": 0.001,
        "note": "50",
        "path": "${HOME}/x",
        "verbose": True,
    },
    "limits": {"max_jobs": 81, "max_parallel_jobs": 9, "max_runtime": "90m"},
    "stop_when": {"target": 0.0, "not_improving_for": 12, "converged": True},
    "warm_start": {"type": "transfer", "parents": ["sagemaker:digits"]},
    "inputs": {
        "train": "s3://data/train/",
        "images": "s3://data/images.manifest",
        "plain": "s3://data/plain",
    },
    "launcher": {
        "kind": "sagemaker",
        "image": IMAGE,
        "source_dir": "s3://code/sourcedir.tar.gz",
        "entry_point": "train.py",
        "env": {"MODE": "tuning", "PLAIN": "1", "REF": "${X}"},
        "instance_types": ["ml.g5.xlarge", "ml.g4dn.xlarge"],
        "instance_count": 2,
        "volume": 50,
        "volume_key": "alias/disks",
        "spot": True,
        "max_run": "50m",
        "max_wait": 7205,
        "max_pending": "2d",
        "retry_attempts": 30,
        "output": "s3://models/digits",
        "output_key": "alias/models",
        "output_compression": "none",
        "input_mode": "fast-file",
        "channels": {
            "train": {
                "content_type": "text/csv",
                "compression": "gzip",
                "input_mode": "pipe",
                "record_wrapper": "recordio",
                "distribution": "sharded",
                "shuffle_seed": 0,
            },
            "images": {"s3_type": "augmented-manifest", "attributes": ["source-ref", "class"]},
            "shared": {
                "file_system": {
                    "id": "fs-0123456789abcdef0",
                    "type": "fsx",
                    "path": "/mount/digits",
                    "access": "rw",
                }
            },
        },
        "checkpoints": {"s3": "s3://models/checkpoints"},
        "role": ROLE,
        "vpc": {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"]},
        "isolated": True,
        "encrypt_traffic": True,
        "tags": {"team": "vision", "cost-center": "12"},
        "region": "us-east-1",
    },
}
LARGE_TAGS = {"team": "vision", "cost-center": "12"}
