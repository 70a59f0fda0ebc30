"""Erasure of a data subject from the lake and the warehouse.

In: the user id of a listener. Out: a lake and a warehouse without the listener's records and identifiers.

data_subject   all identifiers of the listener, so that every step erases the same ones
lake           inputs, checkpoints and latest API state
api_responses  the lines of one input of API responses
feeds          Avro feeds, block by block
landed_messages  rejected messages of a topic, and dead letters that are not sent yet
warehouse      staging, star, simulation and audit
"""
