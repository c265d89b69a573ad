"""What a condition, a pause or a limit is about, as people say it. Pure."""

from proto.risk import Everything, OfStrategy, OfSymbol, Scope


def scope_words(scope: Scope) -> str:
    """Return a scope as people say it."""
    match scope:
        case Everything():
            return "everything"
        case OfSymbol(symbol=symbol):
            return symbol
        case OfStrategy(strategy=strategy):
            return f"strategy {strategy}"
