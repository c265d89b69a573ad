"""The rules of the house: each a function from a tree to the violations it sees. Their docstrings are the law."""

from collections.abc import Callable, Iterator

from tests.house import calls, container, documents, imports, manners, modes, requirements, sizes
from tests.house.tree import Tree, Violation

Rule = Callable[[Tree], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    calls.banned_calls,
    calls.caught_too_widely,
    calls.dangerous_imports,
    calls.false_asserted,
    calls.floats_on_money,
    calls.shell_strings,
    calls.times_without_zone,
    container.image_can_be_built,
    documents.commands_exist,
    documents.links_resolve,
    documents.no_home_paths,
    imports.checker_stands_alone,
    imports.no_cycles,
    imports.pure_rooms,
    imports.tests_not_imported,
    manners.imports_at_the_top,
    manners.modules_documented,
    manners.modules_named_for_what_they_own,
    manners.no_mocks,
    manners.nothing_left_over,
    manners.suppressions_reasoned,
    manners.tests_specified,
    modes.no_mode_flags,
    requirements.dependencies_reasoned,
    requirements.exclusions_reasoned,
    requirements.imports_declared,
    requirements.locks_in_step,
    requirements.locks_only_pin,
    sizes.sizes_within_limits,
)
