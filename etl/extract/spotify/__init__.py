"""Brings what accounts and the catalogue look like today from the Spotify Web API into the lake.

In: an app's client id, accounts that people signed in, and what is known already. Out: one input of the lake a fetch,
its answers as received, one a line. Nothing is asked twice, nothing is asked that is known, nothing is transformed.

    app         the client id and the addresses it talks to
    accounts    who signed in: one private file each
    handed_over accounts as an Airflow connection, from one machine to another
    exchange    one request and its answer over HTTP, within a bounded time
    caller      patience: waits, further tries, and what each refusal means
    oauth       spotipy's sign-in flows, against any address
    sign_in     from a person's yes to a stored account
    api         one method an endpoint
    answers     the answers of one fetch on their way into the lake
    knowledge   what a fetch of an account teaches the next one
    account     what one fetch of an account asks
    catalogue   what one fetch of the catalogue asks
    recent      what one look at recently played tracks asks, and whether plays may be missing
    fetched     what came of a fetch
    forgetting  answers without a person
"""
