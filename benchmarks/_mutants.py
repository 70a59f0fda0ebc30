"""Mutants: small faults that somebody might make, one at a time, in Python and in the SQL in it or beside it.

Neither mutmut nor cosmic-ray looks into strings, and much of what identifies a row is SQL in a string.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_OPERATORS: dict[type[ast.AST], tuple[str, ...]] = {
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
"""An operator as it stands, and what it becomes."""
_CALLS = {
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
_LEFT_OUT = ("distinct", "where", "filter")
"""Methods without which the frame is one, with more rows."""
_ORDERED = ("coalesce", "struct", "winner", "first_of")
"""Calls whose arguments stand in order of preference."""
_WORDS = {"inner": "left", "left": "inner", "left_anti": "left_semi", "left_semi": "left_anti"}
"""Texts that name a kind of join."""
_SQL_WORD = re.compile(r"\b(select|join|where|case|between|coalesce|delete from|insert into|is null|is not null)\b")
_SQL_MORE = re.compile(r"(?<![<>=!])(=|<>|<=|>=|<|>)(?![<>=])|\b(and|or|not|is)\b")
_REPLACEMENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
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
_NO_COMPARISON = re.compile(r"^\s*set ")
_COMMENT = re.compile(r"--[^\n]*|^comment on [^;]*;", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A file with one fault: ``old`` at ``start`` (in characters) reads ``new``."""

    path: str
    start: int
    old: str
    new: str

    def applied(self, text: str) -> str:
        """The file's text with the fault."""
        if not text.startswith(self.old, self.start):
            raise ValueError(f"{self.path} has changed: {self.old!r} no longer stands at {self.start}")
        return text[: self.start] + self.new + text[self.start + len(self.old) :]

    def told(self, text: str) -> str:
        """Where it is, and what reads how."""
        line = text.count("\n", 0, self.start) + 1
        return f"{self.path}:{line}: {_short(self.old)} -> {_short(self.new)}"


def mutants(path: str, text: str) -> list[Mutant]:
    """All mutants of a file, each once, in the order of the text. Python that does not compile is none."""
    if path.endswith(".sql"):
        found = {Mutant(path, *change) for change in _of_sql(text, 0)}
    else:
        found = {one for one in _of_python(path, text) if _compiles(one.applied(text))}
    return sorted((one for one in found if one.old != one.new), key=lambda one: (one.start, one.old, one.new))


def _of_sql(text: str, begin: int) -> Iterator[tuple[int, str, str]]:
    """Changes of SQL that stands at ``begin``: start, old, new."""
    blank = _COMMENT.sub(lambda match: "\0" * len(match[0]), text)
    for pattern, others in _REPLACEMENTS:
        for match in re.finditer(pattern, blank):
            if match[0] == "=" and _NO_COMPARISON.match(_line(blank, match.start())):
                continue
            for other in others:
                yield begin + match.start(), match[0], other
    for match in _AND.finditer(blank):
        if "between" not in _line(blank, match.start()):
            yield begin + match.start(), "and", "or"
    for match in _CONDITION.finditer(blank):
        if match[0].count("(") == match[0].count(")") and not match[0].rstrip().endswith((";", "then")):
            yield begin + match.start(), match[0], ""
    for pattern in (_COALESCE, _ORDER):
        for match in pattern.finditer(blank):
            begins, ends = match.span("one")[0], match.span("other")[1]
            yield begin + begins, text[begins:ends], f"{match['other']}, {match['one']}"
    for match in _NUMBER.finditer(blank):
        yield begin + match.start(), match[0], str(int(match[0]) + 1)


def _of_python(path: str, text: str) -> Iterator[Mutant]:
    tree = ast.parse(text)
    places = _Places(text)
    untouched = _texts_that_say_nothing(tree)
    for node in ast.walk(tree):
        for start, old, new in _of_node(node, places, untouched):
            yield Mutant(path, start, old, new)


def _of_node(node: ast.AST, places: "_Places", untouched: set[int]) -> Iterator[tuple[int, str, str]]:
    if isinstance(node, ast.Compare):
        for (left, right), operator in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
            yield from _operator(places, left, right, operator)
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _operator(places, left, right, node.op)
    elif isinstance(node, ast.BinOp) and not _is_type(node):
        yield from _operator(places, node.left, node.right, node.op)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        start, end = places.of(node)
        yield start, places.text[start:end], places.text[places.of(node.operand)[0] : end]
    elif isinstance(node, ast.If | ast.IfExp):
        start, end = places.of(node.test)
        yield start, places.text[start:end], f"(not ({places.text[start:end]}))"
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            start, end = places.of(test)
            yield start, places.text[start:end], "True"
    elif isinstance(node, ast.Call):
        yield from _of_call(node, places)
    elif isinstance(node, ast.Constant) and id(node) not in untouched:
        yield from _of_constant(node, places)


def _of_call(node: ast.Call, places: "_Places") -> Iterator[tuple[int, str, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    end = places.of(node.func)[1]
    if _CALLS.get(name, name) != name:
        yield end - len(name), name, _CALLS[name]
    if isinstance(node.func, ast.Attribute) and name in _LEFT_OUT:
        after = places.of(node.func.value)[1]
        yield after, places.text[after : places.of(node)[1]], ""
    if name in _ORDERED:
        plain = [one for one in node.args if not isinstance(one, ast.Starred)]
        for one, other in pairwise(plain):
            (start, middle), (begin, last) = places.of(one), places.of(other)
            old = places.text[start:last]
            yield start, old, places.text[begin:last] + places.text[middle:begin] + places.text[start:middle]


def _of_constant(node: ast.Constant, places: "_Places") -> Iterator[tuple[int, str, str]]:
    start, end = places.of(node)
    old = places.text[start:end]
    if isinstance(node.value, bool):
        yield start, old, str(not node.value)
    elif isinstance(node.value, int | float):
        yield start, old, repr(node.value + 1)
    elif isinstance(node.value, str):
        if node.value in _WORDS:
            yield start, old, old.replace(node.value, _WORDS[node.value])
        elif _SQL_WORD.search(node.value.lower()) or (" " in node.value and _SQL_MORE.search(node.value)):
            yield from _of_sql(old, start)


def _operator(places: "_Places", left: ast.AST, right: ast.AST, operator: ast.AST) -> Iterator[tuple[int, str, str]]:
    if type(operator) not in _OPERATORS:
        return
    symbol, *others = _OPERATORS[type(operator)]
    begin, end = places.of(left)[1], places.of(right)[0]
    at = places.text.find(symbol, begin, end)
    if at >= 0:
        for other in others:
            yield at, symbol, other


class _Places:
    """Where nodes stand, in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._begins = [0]
        for line in self._lines:
            self._begins.append(self._begins[-1] + len(line))

    def of(self, node: ast.AST) -> tuple[int, int]:
        """Start and end."""
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _at(self, line: int, byte: int) -> int:
        return self._begins[line - 1] + len(self._lines[line - 1].encode()[:byte].decode())


def _texts_that_say_nothing(tree: ast.AST) -> set[int]:
    """Constants that are not a part of what runs: docstrings, types, the sentences of errors and log lines."""
    found = set()
    for node in ast.walk(tree):
        silent: list[ast.AST] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent = [node.value]
        elif isinstance(node, ast.Raise) and node.exc:
            silent = [node.exc]
        elif isinstance(node, ast.AnnAssign):
            silent = [node.annotation]
        for one in silent:
            found |= {id(part) for part in ast.walk(one)}
    return found


def _is_type(node: ast.BinOp) -> bool:
    """Whether it says ``X | None``."""
    return isinstance(node.right, ast.Constant) and node.right.value is None


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _line(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]


def _short(text: str) -> str:
    said = " ".join(text.split()) or "nothing"
    return said if len(said) <= 60 else f"{said[:57]}…"
