"""Sentences from statements."""

from dataclasses import dataclass

from etl.taste_text.figures import TasteFigures
from etl.taste_text.statements import CHANGED, STANDING_OUT, TYPICAL, Statement, make_statements
from etl.taste_text.wording import capitalise, choose_phrase, join_clauses

MAX_CLAUSES = 3


@dataclass(frozen=True)
class TasteText:
    """A profile in words, and the statements of which it consists."""

    text: str
    statements: tuple[Statement, ...]


def write_profile(figures: TasteFigures, user_id: str) -> TasteText:
    """Return a profile by the rules: what is typical, what stands out, what has changed since the year before.

    :param user_id: chooses among phrases of the same meaning, together with the year; the text does not contain it.
    """
    seed = f"{user_id}/{figures.year}/"
    typical = make_statements(TYPICAL, figures, seed)
    standing_out = _leave_out_some(make_statements(STANDING_OUT, figures, seed), seed)
    changed = make_statements(CHANGED, figures, seed)
    sentences = [f"In {figures.year} " + join_clauses([clause.text for clause in typical])]
    if standing_out:
        sentences.append(join_clauses([clause.text for clause in standing_out]))
    if changed:
        comparisons = (f"compared with {figures.year - 1}", f"next to {figures.year - 1}")
        clauses = join_clauses([clause.text for clause in changed])
        sentences.append(f"{choose_phrase(comparisons, seed + 'comparison')}, {clauses}")
    text = " ".join(f"{capitalise(sentence)}." for sentence in sentences)
    return TasteText(text, (*typical, *standing_out, *changed))


def _leave_out_some(statements: list[Statement], seed: str) -> list[Statement]:
    """Return at most three of the statements, in their order; which one is left out depends on the user and year."""
    if len(statements) <= MAX_CLAUSES:
        return statements
    left_out = choose_phrase([statement.kind for statement in statements[:MAX_CLAUSES]], seed + "left out")
    return [statement for statement in statements if statement.kind != left_out]
