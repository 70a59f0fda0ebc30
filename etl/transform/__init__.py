"""DataFrame in, DataFrame out: what rows say becomes what the star holds.

In: rows of the inputs in the lake, as text or as rows of ``schemas``. Out: the frames of ``schemas.STAGED``, and the
rows that were refused, each with a reason. Nothing here reads or writes a file, asks a clock or draws at random: the
reference date and seeds are parameters, and the result does not depend on the order or partitions of the rows.
"""
