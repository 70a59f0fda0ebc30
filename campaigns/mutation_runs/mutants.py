"""Mutants: small plausible faults, one at a time, in Python and in SQL inside or beside it.

Neither mutmut nor cosmic-ray looks into strings, and much of what identifies a row is SQL in a string.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_OPERATOR_CHANGES: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
"""An operator and its replacement."""
_CALL_CHANGES = {
    "min": "max",
    "max": "min",
    "min_by": "max_by",
    "max_by": "min_by",
    "least": "greatest",
    "isNull": "isNotNull",
    "isNotNull": "isNull",
    "any": "all",
    "all": "any",
}
_REMOVABLE_METHODS = ("distinct", "where", "filter")
"""Methods whose removal leaves a frame, with more rows."""
_ORDERED_CALLS = ("coalesce", "struct", "pick_value", "pick_first")
"""Calls whose arguments are in order of preference."""
_JOIN_WORDS = {"inner": "left", "left": "inner", "left_anti": "left_semi", "left_semi": "left_anti"}
"""Texts that name a kind of join."""
_SQL_WORD = re.compile(r"\b(select|join|where|case|between|coalesce|delete from|insert into|is null|is not null)\b")
_SQL_MORE = re.compile(r"(?<![<>=!])(=|<>|<=|>=|<|>)(?![<>=])|\b(and|or|not|is)\b")
_SQL_REPLACEMENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?<= )<=(?= )", ("<", ">")),
    (r"(?<= )>=(?= )", (">", "<")),
    (r"(?<= )<(?= )", ("<=", ">=")),
    (r"(?<= )>(?= )", (">=", "<=")),
    (r"(?<= )<>(?= )", ("=",)),
    (r"(?<= )=(?= )", ("<>",)),
    (r"(?<= )\+(?= )", ("-",)),
    (r"(?<= )-(?= )", ("+",)),
    (r"(?<= )\*(?= )", ("/",)),
    (r"(?<= )/(?= )", ("*",)),
    (r"(?<= )%(?= )", ("/",)),
    (r"\bor\b", ("and",)),
    (r"\binner join\b", ("left join",)),
    (r"\b(left|right) join\b", ("inner join",)),
    (r"\bunion all\b", ("union",)),
    (r"\bselect distinct(?! on)\b", ("select",)),
    (r"\bnot exists\b", ("exists",)),
    (r"(?<!not )\bexists(?= ?\()", ("not exists",)),
    (r"\bis not null\b", ("is null",)),
    (r"\bis null\b", ("is not null",)),
    (r"\bis not distinct from\b", ("is distinct from",)),
    (r"\bis distinct from\b", ("is not distinct from",)),
    (r"\bnot between\b", ("between",)),
    (r"(?<=[\w)] )in(?= \()", ("not in",)),
    (r"(?<= )desc\b", ("asc",)),
    (r"\bnulls last\b", ("nulls first",)),
    (r"\bnulls first\b", ("nulls last",)),
    (r"\bmin\(", ("max(",)),
    (r"\bmax\(", ("min(",)),
    (r"\bleast\(", ("greatest(",)),
    (r"\bgreatest\(", ("least(",)),
    (r"\bsum\(", ("min(",)),
    (r"\btrue\b", ("false",)),
    (r"\bfalse\b", ("true",)),
)
_NUMBER = re.compile(r"(?<![\w.'{{:-])(\d+)(?![\w.'}}:-])")
_AND = re.compile(r"\band\b")
_CONDITION = re.compile(r"(?m)^[ ]*and [^\n]*\n?")
_COALESCE = re.compile(r"\bcoalesce\((?P<one>[^(),]+), (?P<other>[^(),]+)\)")
_ORDER = re.compile(r"\border by (?P<one>[^(),;\n]+), (?P<other>[^(),;\n]+)")
_ASSIGNMENT = re.compile(r"^\s*set ")
_COMMENT = re.compile(r"--[^\n]*|^comment on [^;]*;", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A file with one fault: ``old`` at ``start`` (in characters) becomes ``new``."""

    path: str
    start: int
    old: str
    new: str

    def apply_to(self, text: str) -> str:
        """Return the file's text with the fault."""
        if not text.startswith(self.old, self.start):
            raise ValueError(f"{self.path} has changed: {self.old!r} no longer stands at {self.start}")
        return text[: self.start] + self.new + text[self.start + len(self.old) :]

    def describe_in(self, text: str) -> str:
        """Return the location of the fault, and its old and new text."""
        line = text.count("\n", 0, self.start) + 1
        return f"{self.path}:{line}: {_shorten_text(self.old)} -> {_shorten_text(self.new)}"


def make_mutants(path: str, text: str) -> list[Mutant]:
    """Return all mutants of a file, each once, in the order of the text, without Python that does not compile."""
    if path.endswith(".sql"):
        candidates = {Mutant(path, *change) for change in _mutate_sql(text, 0)}
    else:
        candidates = {candidate for candidate in _mutate_python(path, text) if _compiles(candidate.apply_to(text))}
    return sorted(
        (candidate for candidate in candidates if candidate.old != candidate.new),
        key=lambda candidate: (candidate.start, candidate.old, candidate.new),
    )


def _mutate_sql(text: str, begin: int) -> Iterator[tuple[int, str, str]]:
    """Yield changes of the SQL at ``begin``: start, old, new."""
    blank = _COMMENT.sub(lambda match: "\0" * len(match[0]), text)
    for pattern, replacements in _SQL_REPLACEMENTS:
        for match in re.finditer(pattern, blank):
            if match[0] == "=" and _ASSIGNMENT.match(_get_line(blank, match.start())):
                continue
            for replacement in replacements:
                yield begin + match.start(), match[0], replacement
    for match in _AND.finditer(blank):
        if "between" not in _get_line(blank, match.start()):
            yield begin + match.start(), "and", "or"
    for match in _CONDITION.finditer(blank):
        if match[0].count("(") == match[0].count(")") and not match[0].rstrip().endswith((";", "then")):
            yield begin + match.start(), match[0], ""
    for pattern in (_COALESCE, _ORDER):
        for match in pattern.finditer(blank):
            pair_start, pair_end = match.span("one")[0], match.span("other")[1]
            yield begin + pair_start, text[pair_start:pair_end], f"{match['other']}, {match['one']}"
    for match in _NUMBER.finditer(blank):
        yield begin + match.start(), match[0], str(int(match[0]) + 1)


def _mutate_python(path: str, text: str) -> Iterator[Mutant]:
    tree = ast.parse(text)
    positions = _NodePositions(text)
    skipped_ids = _find_skipped_constants(tree)
    for node in ast.walk(tree):
        for start, old, new in _mutate_node(node, positions, skipped_ids):
            yield Mutant(path, start, old, new)


def _mutate_node(node: ast.AST, positions: "_NodePositions", skipped_ids: set[int]) -> Iterator[tuple[int, str, str]]:
    if isinstance(node, ast.Compare):
        for (left, right), operator in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
            yield from _mutate_operator(positions, left, right, operator)
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _mutate_operator(positions, left, right, node.op)
    elif isinstance(node, ast.BinOp) and not _is_optional_type(node):
        yield from _mutate_operator(positions, node.left, node.right, node.op)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        start, end = positions.get_span(node)
        yield start, positions.text[start:end], positions.text[positions.get_span(node.operand)[0] : end]
    elif isinstance(node, ast.If | ast.IfExp):
        start, end = positions.get_span(node.test)
        yield start, positions.text[start:end], f"(not ({positions.text[start:end]}))"
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            start, end = positions.get_span(test)
            yield start, positions.text[start:end], "True"
    elif isinstance(node, ast.Call):
        yield from _mutate_call(node, positions)
    elif isinstance(node, ast.Constant) and id(node) not in skipped_ids:
        yield from _mutate_constant(node, positions)


def _mutate_call(node: ast.Call, positions: "_NodePositions") -> Iterator[tuple[int, str, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    end = positions.get_span(node.func)[1]
    if _CALL_CHANGES.get(name, name) != name:
        yield end - len(name), name, _CALL_CHANGES[name]
    if isinstance(node.func, ast.Attribute) and name in _REMOVABLE_METHODS:
        after = positions.get_span(node.func.value)[1]
        yield after, positions.text[after : positions.get_span(node)[1]], ""
    if name in _ORDERED_CALLS:
        plain_arguments = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
        for argument, next_argument in pairwise(plain_arguments):
            (start, middle), (begin, last) = positions.get_span(argument), positions.get_span(next_argument)
            old = positions.text[start:last]
            yield start, old, positions.text[begin:last] + positions.text[middle:begin] + positions.text[start:middle]


def _mutate_constant(node: ast.Constant, positions: "_NodePositions") -> Iterator[tuple[int, str, str]]:
    start, end = positions.get_span(node)
    old = positions.text[start:end]
    if isinstance(node.value, bool):
        yield start, old, str(not node.value)
    elif isinstance(node.value, int | float):
        yield start, old, repr(node.value + 1)
    elif isinstance(node.value, str):
        if node.value in _JOIN_WORDS:
            yield start, old, old.replace(node.value, _JOIN_WORDS[node.value])
        elif _SQL_WORD.search(node.value.lower()) or (" " in node.value and _SQL_MORE.search(node.value)):
            yield from _mutate_sql(old, start)


def _mutate_operator(
    positions: "_NodePositions", left: ast.AST, right: ast.AST, operator: ast.AST
) -> Iterator[tuple[int, str, str]]:
    if type(operator) not in _OPERATOR_CHANGES:
        return
    symbol, *replacements = _OPERATOR_CHANGES[type(operator)]
    begin, end = positions.get_span(left)[1], positions.get_span(right)[0]
    at = positions.text.find(symbol, begin, end)
    if at >= 0:
        for replacement in replacements:
            yield at, symbol, replacement


class _NodePositions:
    """The positions of nodes, in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._begins = [0]
        for line in self._lines:
            self._begins.append(self._begins[-1] + len(line))

    def get_span(self, node: ast.AST) -> tuple[int, int]:
        """Return start and end."""
        return self._to_offset(node.lineno, node.col_offset), self._to_offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _to_offset(self, line: int, byte: int) -> int:
        return self._begins[line - 1] + len(self._lines[line - 1].encode()[:byte].decode())


def _find_skipped_constants(tree: ast.AST) -> set[int]:
    """Return constants that do not affect a run: docstrings, types, messages of errors and log lines."""
    skipped_ids = set()
    for node in ast.walk(tree):
        silent: list[ast.AST] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent = [node.value]
        elif isinstance(node, ast.Raise) and node.exc:
            silent = [node.exc]
        elif isinstance(node, ast.AnnAssign):
            silent = [node.annotation]
        for silent_node in silent:
            skipped_ids |= {id(inner_node) for inner_node in ast.walk(silent_node)}
    return skipped_ids


def _is_optional_type(node: ast.BinOp) -> bool:
    """Return whether an annotation is ``X | None``."""
    return isinstance(node.right, ast.Constant) and node.right.value is None


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _get_line(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]


def _shorten_text(text: str) -> str:
    shortened = " ".join(text.split()) or "nothing"
    return shortened if len(shortened) <= 60 else f"{shortened[:57]}…"
