"""The DAGs, one file each: schedules and wiring only; the work is in ``etl.jobs``."""
