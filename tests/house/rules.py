"""The rules of the house: each a function from a tree to the violations it sees. Their docstrings are the law."""

from collections.abc import Callable, Iterator

from tests.house import calls, documents, imports, manners, requirements, sizes
from tests.house.tree import Tree, Violation

Rule = Callable[[Tree], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    calls.banned_calls,
    calls.caught_too_widely,
    calls.dangerous_imports,
    calls.false_asserted,
    calls.floats_on_money,
    calls.shell_strings,
    documents.commands_exist,
    documents.links_resolve,
    documents.no_home_paths,
    imports.no_cycles,
    imports.pure_rooms,
    imports.tests_not_imported,
    manners.imports_at_the_top,
    manners.modules_documented,
    manners.modules_named_for_what_they_own,
    manners.no_mocks,
    manners.no_mode_flags,
    manners.nothing_left_over,
    manners.suppressions_reasoned,
    manners.tests_specified,
    requirements.dependencies_reasoned,
    requirements.exclusions_reasoned,
    requirements.locks_in_step,
    requirements.locks_only_pin,
    sizes.sizes_within_limits,
)
