"""The tuning job as a pure state machine: no input or output, no clock."""
