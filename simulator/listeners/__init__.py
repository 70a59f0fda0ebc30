"""Synthetic listeners and their listening events: a feed in bulk, and the truth behind it.

In: parameters with a seed, the warehouse's catalogue, the survey. Out: Avro files of a contract, and the truth for the
schema simulation. Files of ``user_activity`` and ``user`` lie in the lake and enter like any other feed. The same seed
and catalogue give the same listeners and events, however many cores share the work. A longer interval or more listeners
give the same ones and more.

    hashed_draws          stateless random draws: a hash of an entity's key and a purpose
    parameters            the parameters of a simulation, and the ids that follow from them
    habits                the distributions that listeners are drawn from: the survey, or defaults
    homes                 countries and timezones
    personalities         the sixteen personalities, and the four traits behind each
    population            the attributes of each listener, fixed and over time
    yearly_states         plan, home and name, which may change once a year
    growth                a growing population: sign-ups, leaving, drifting levels
    yearly_rhythm         seasons by hemisphere and holidays by country
    outages               hours in which no listener plays anything
    track_library         the catalogue, sorted for choosing
    taste                 which track a play plays
    survey_preferences    the survey's favourite genres and moods, which taste chooses by
    sessions              when listeners listen
    timeline              the plays of a session, one after another
    episode_plays         the plays of an anomalous episode, by kind
    anomalies             anomalous listeners and their episodes
    activities            plays as rows of small numbers; injected errors
    profiles              records of users; the truth about them
    activity_records      rows of numbers as records of UserActivity, by Spark
    contract_projections  the same as SpotifyWrappedData and as four entities, by Spark
    simulation            all of it by chunks of listeners and days
    feed                  the same in parallel, written as Avro

docs/simulator.md describes the synthetic attributes, their sources, and the limits that the catalogue sets.
"""
