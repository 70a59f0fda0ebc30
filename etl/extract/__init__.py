"""Brings bytes in: from a file, a folder or a URL into the lake, as they are.

In: a place named by a person. Out: an input in the lake with a ``Received`` note that says what it is and how many
rows it has. A file that is not what it should be raises ``WrongFileError`` and leaves nothing behind. Nothing is
transformed here.
"""
