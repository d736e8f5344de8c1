"""The tuning spec: its models, its search space, and how a YAML file becomes one."""
