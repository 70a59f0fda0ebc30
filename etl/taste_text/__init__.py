"""A user's taste in a year, in words.

In: the row of ``mart.taste_figures``. Out: two or three sentences. Each consists of statements, and each statement has
the figures that it is true of, so that a test can compare both with the plays.

    figures             the row as a class
    statements          the rules: which statements follow from figures
    wording             numbers, names and lists in English
    profile             sentences from statements, with phrases that vary by user and year
    language_model      the same by a language model, if one is set up
"""
