"""What runs when: one file a DAG, wiring only; the work is in ``etl.jobs``."""
