"""Made-up listeners, and what they do: a feed of events in bulk, and the truth behind it.

In: parameters with a seed, the warehouse's catalogue, the survey. Out: Avro files of the contracts ``user_activity``
and ``user`` in the lake, which enter like any other feed, and the truth for the schema simulation. The same seed and
catalogue make the same listeners and events, however many cores share the work; a longer interval or a larger number of
listeners makes the same ones and more.

    chance         draws without a state: a hash of who draws, and for what
    parameters     what a simulation is told, and the names that follow
    habits         what is asked of listeners: the survey, or defaults
    homes          where they live
    personalities  the sixteen, and the four traits behind each
    people         who a listener is, for good and at a time
    library        the catalogue, sorted for choosing
    taste          which track a play plays
    wishes         the survey's favourite genres and moods, which taste chooses by
    sessions       when they listen
    timeline       what happens in sessions, play by play
    activities     plays made rows of small numbers; dirt
    profiles       who they are, as records; the truth
    records        rows of numbers made records of the contract, by Spark
    projections    the same in the shapes of earlier feeds
    feed           all of it in parallel, written as Avro

docs/simulator.md says what is made up, from what, and what the catalogue limits.
"""
