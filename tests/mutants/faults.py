"""What can be done wrong in a line of code: every fault that can be planted in a module, as source text."""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}
# A member of a closed set is exchanged for another one of the same set.
MEMBERS = {
    "Algorithm": ("TOTP", "HOTP"),
    "Comparison": ("MINIMUM", "EXACT", "BETTER", "MAXIMUM"),
    "Factor": ("PASSWORD", "OTP", "CERTIFICATE"),
    "Level": ("EH1", "EH2", "EH2PLUS", "EH3", "EH4"),
    "MeansEvent": ("TERM_ENDED", "REVOKED"),
    "MeansStatus": ("EXPIRED", "ACTIVE"),
    "Reading": ("STRICT", "LENIENT"),
    "Reason": ("NO_MANDATE", "MANDATE_EXPIRED", "OTHER_BRANCH"),
    "Remedy": ("ASK_MANAGER", "APPLY_FOR_MAIN", "CONVERT_TO_MAIN"),
    "ScopeKind": ("SERVICE", "PROVIDER", "GENERAL"),
    "Step": ("PASSWORD", "CODE", "CERTIFICATE", "CHOOSE", "CONSENT", "REFUSED", "ANSWER"),
    "Wrong": ("MISMATCH", "USED", "OUT_OF_STEP", "MALFORMED"),
}
NEVER_MUTATED = {"annotation", "returns", "decorator_list", "bases", "keywords_of_class"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, what stood there and what stands there now, and the whole module with it.

    ``in_body`` tells that only the body of that function changes, so that nothing else of the module runs anew;
    ``nth`` tells it from others in the function that read the same.
    """

    module: str
    function: str
    in_body: bool
    line: int
    before: str
    after: str
    nth: int
    source: str

    @property
    def name(self) -> str:
        """Names the fault whatever line it moves to."""
        ordinal = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.function}: {self.before} → {self.after}{ordinal}"


def faults_of(module: str, source: str) -> Iterator[Fault]:
    """Every fault that can be planted in a module, in the order of its lines."""
    tree = ast.parse(source)
    alike: Counter[tuple[str, str, str]] = Counter()
    for owner, field, place, (function, in_body) in list(_sites(tree, ("module", False))):
        node = _get(owner, field, place)
        for other in _variants(node):
            _set(owner, field, place, other)
            mutated = ast.unparse(ast.fix_missing_locations(tree))
            _set(owner, field, place, node)
            words = (function, _text(node), _text(other))
            alike[words] += 1
            yield Fault(module, function, in_body, node.lineno, words[1], words[2], alike[words], mutated)


Around = tuple[str, bool]
Site = tuple[ast.AST, str, int | None, Around]


def _sites(node: ast.AST, around: Around) -> Iterator[Site]:
    """Every place of the tree that holds a statement or an expression, with the function around it."""
    function, in_body = around
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        function = node.name if function == "module" else f"{function}.{node.name}"
    for field, value in ast.iter_fields(node):
        if field in NEVER_MUTATED:
            continue
        around = (function, in_body or (isinstance(node, ast.FunctionDef) and field == "body"))
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for place, child in children:
            if not isinstance(child, ast.AST) or _is_docstring(node, field, place, child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield node, field, place, around
            yield from _sites(child, around)


def _is_docstring(node: ast.AST, field: str, place: int | None, child: ast.AST) -> bool:
    return field == "body" and place == 0 and isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _get(owner: ast.AST, field: str, place: int | None) -> ast.expr | ast.stmt:
    value = getattr(owner, field)
    found: ast.expr | ast.stmt = value if place is None else value[place]
    return found


def _set(owner: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[place] = node


def _text(node: ast.AST) -> str:
    """The first line of a node, as it is written."""
    return ast.unparse(node).splitlines()[0]


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for field, value in fields.items():
        setattr(other, field, value)
    return other


def _variants(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    """What a careless hand could have written instead."""
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp(op=op, values=values):
            yield _changed(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            yield from (_without(node, "values", place) for place in range(len(values)))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            yield _changed(node, op=OPERATORS[type(op)]())
        case ast.Constant():
            yield from (ast.copy_location(ast.Constant(value), node) for value in _constants(node.value))
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Call() | ast.Attribute() | ast.Name():
            yield from _names(node)
        case _:
            yield from _shapes(node)


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for place, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            yield _changed(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _without(node: ast.AST, field: str, place: int) -> ast.AST:
    values = getattr(node, field)
    left = [*values[:place], *values[place + 1 :]]
    return (
        left[0]
        if field == "values" and isinstance(node, ast.BoolOp) and len(left) == 1
        else _changed(node, **{field: left})
    )


def _constants(value: object) -> tuple[object, ...]:
    match value:
        case bool():
            return (not value,)
        case int():
            return (value + 1, value - 1)
        case str():
            return (value + "x",)
        case _:
            return ()


def _names(node: ast.Call | ast.Attribute | ast.Name) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            yield _changed(node, func=ast.copy_location(ast.Name(FUNCTIONS[name], ast.Load()), node.func))
        case ast.Attribute(value=ast.Name(id=owner), attr=member) if owner in MEMBERS:
            other = next(one for one in MEMBERS[owner] if one != member)
            yield _changed(node, attr=other)


def _shapes(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    """Statements left out, branches always or never taken, members left out of a collection."""
    match node:
        case ast.If():
            yield _changed(node, test=ast.copy_location(ast.Constant(True), node.test))
            yield _changed(node, test=ast.copy_location(ast.Constant(False), node.test))
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield _changed(node, value=ast.copy_location(ast.Constant(None), value))
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            yield ast.copy_location(ast.Pass(), node)
        case ast.Set(elts=elts) if len(elts) > 1:
            yield from (_without(node, "elts", place) for place in range(len(elts)))
        case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators):
            yield from _unfiltered(node, generators)
        case ast.SetComp(generators=generators):
            yield from _unfiltered(node, generators)


def _unfiltered(node: ast.AST, generators: list[ast.comprehension]) -> Iterator[ast.AST]:
    for place, generator in enumerate(generators):
        if generator.ifs:
            loose = ast.comprehension(generator.target, generator.iter, [], generator.is_async)
            yield _changed(node, generators=[*generators[:place], loose, *generators[place + 1 :]])
