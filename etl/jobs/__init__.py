"""One function a task: what to read, which transforms to call, what to hand to the load. Composition only.

Every job takes its ``Settings`` and the id of its run, may be killed anywhere and run again, and returns counts or a
sentence, never records.
"""
