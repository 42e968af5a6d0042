"""Which fields a template reads, so that a definition can be checked before its first message."""

from collections.abc import Iterable

from jinja2 import nodes

from stagebell.domain.views import fold

type Path = tuple[str, ...]
type Origins = tuple[Path, ...]

_SAME_ITEMS = frozenset({"default", "d", "first", "last", "sort", "unique", "list", "min", "max"})


def paths_of(tree: nodes.Template) -> list[Path]:
    """Every path read from the variables, as written, each once, in order. Loop and set variables are followed to the
    fields they came from; positions in lists are left out."""
    reader = _Reader()
    reader.read(tree.body, {})
    return list(reader.found)


class _Reader:
    """`scope` maps the folded names of loop and set variables to the paths their values came from."""

    def __init__(self) -> None:
        self.found: dict[Path, None] = {}

    def read(self, body: Iterable[nodes.Node], scope: dict[str, Origins]) -> None:
        for node in body:
            self._visit(node, scope)

    def _visit(self, node: nodes.Node, scope: dict[str, Origins]) -> None:
        match node:
            case nodes.For():
                self._loop(node, scope)
            case nodes.If():
                self._branches(node, scope)
            case nodes.Assign():
                self._visit(node.node, scope)
                scope.update(_bound(node.target, _origins(node.node, scope)))
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                self._path(node, scope)
            case _:
                self.read(node.iter_child_nodes(), scope)

    def _path(self, node: nodes.Node, scope: dict[str, Origins]) -> None:
        self.found.update(dict.fromkeys(_origins(node, scope)))
        self._inner(node, scope)

    def _inner(self, node: nodes.Node, scope: dict[str, Origins]) -> None:
        """What a path is made of besides names: computed keys, and values it starts from."""
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            if isinstance(node, nodes.Getitem):
                self._visit(node.arg, scope)
            node = node.node
        if not isinstance(node, nodes.Name):
            self._visit(node, scope)

    def _loop(self, node: nodes.For, scope: dict[str, Origins]) -> None:
        self._visit(node.iter, scope)
        inside = scope | {"loop": ()} | _bound(node.target, _item_origins(node.iter, scope))
        if node.test:
            self._visit(node.test, inside)
        self.read(node.body, inside)
        self.read(node.else_, dict(scope))

    def _branches(self, node: nodes.If, scope: dict[str, Origins]) -> None:
        """A variable set in some branches may have come from any of them, or from before."""
        self._visit(node.test, scope)
        ends = []
        for body in (node.body, node.elif_, node.else_):
            ends.append(dict(scope))
            self.read(body, ends[-1])
        for name in {name for end in ends for name in end}:
            scope[name] = _merged(end.get(name, ()) for end in ends)


def _origins(node: nodes.Node | None, scope: dict[str, Origins]) -> Origins:
    """The paths a value may have come from; none where it is computed."""
    match node:
        case nodes.Name():
            return scope.get(fold(node.name), ((node.name,),))
        case nodes.Getattr():
            return tuple((*path, node.attr) for path in _origins(node.node, scope))
        case nodes.Getitem(arg=nodes.Const(value=str(name))):
            return tuple((*path, name) for path in _origins(node.node, scope))
        case nodes.Getitem():
            return _origins(node.node, scope)
        case nodes.Filter() if node.name in _SAME_ITEMS:
            return _merged(_origins(source, scope) for source in (node.node, *node.args[:1]))
        case nodes.CondExpr():
            return _merged(_origins(source, scope) for source in (node.expr1, node.expr2))
        case nodes.Or() | nodes.And():
            return _merged(_origins(source, scope) for source in (node.left, node.right))
        case _:
            return ()


def _item_origins(node: nodes.Node, scope: dict[str, Origins]) -> Origins:
    if isinstance(node, nodes.List | nodes.Tuple):
        return _merged(_origins(item, scope) for item in node.items)
    return _origins(node, scope)


def _bound(target: nodes.Node, origins: Origins) -> dict[str, Origins]:
    if isinstance(target, nodes.Name):
        return {fold(target.name): origins}
    return {fold(name.name): () for name in target.find_all(nodes.Name)}


def _merged(many: Iterable[Origins]) -> Origins:
    return tuple(dict.fromkeys(path for origins in many for path in origins))
