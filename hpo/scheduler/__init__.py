"""The scheduler: performs what the core plans, until the job has ended."""
