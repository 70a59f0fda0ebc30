"""The lake: received inputs, checkpoints of runs, the latest state of API resources, and Arrow files."""
