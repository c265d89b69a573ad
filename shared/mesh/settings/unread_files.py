"""Finds files in `config/` that somebody wrote in the belief that they are read: `local.yml`, `locl.yaml`."""

from pathlib import Path

from shared.mesh.settings.problems import Problem, nearest

READ = ("bowline.yaml", "local.yaml")
_NEAR = 0.85


def unread_files(root: Path) -> list[Problem]:
    """Return a problem for each file whose name is nearly one that is read: its limits would silently not hold."""
    try:
        names = sorted(path.name for path in (root / "config").iterdir())
    except OSError:  # no project, or none of ours to look into: reading the files themselves says so
        return []
    near = {name: nearest(name.lower(), READ, cutoff=_NEAR) for name in names if _is_yaml(name) and name not in READ}
    return [
        Problem(f"config/{name}", "", f"is not read, did you mean {meant}? Rename it, or move it away")
        for name, meant in near.items()
        if meant
    ]


def _is_yaml(name: str) -> bool:
    return name.isprintable() and name.lower().endswith((".yaml", ".yml"))
