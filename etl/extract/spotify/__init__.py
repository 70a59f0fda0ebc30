"""Fetch accounts and the catalogue from the Spotify Web API into the lake.

In: an app's client id, accounts that signed in, and their sync state. Out: one input of the lake a fetch, with its
responses as received, one a line. No request is sent twice, or for data that is already synced. Nothing is transformed.

    app              the client id and its addresses
    account_store    accounts that signed in: one private file each
    account_transfer accounts as an Airflow connection, from one machine to another
    http_session     one request and its response over HTTP, within a bounded time
    http_client      retries, waits for the rate limit, and errors by status
    oauth            spotipy's sign-in flows, against any address
    sign_in          from the user's consent to a stored account
    client           one method an endpoint
    response_shapes  the shapes that bodies of responses must have
    responses        the responses of one fetch on their way into the lake
    sync_state       what a fetch of an account need not request again
    account_fetch    the requests of one fetch of an account
    catalogue_fetch  the requests of one fetch of the catalogue
    recently_played  the request for the last plays, and whether plays may be missing
    fetch_result     the outcome of a fetch
"""
