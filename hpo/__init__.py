"""hpo: the tuner that people trust to run unattended."""
