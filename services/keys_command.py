"""`bowline keys create | show`: the key pair of every process, made once and kept from others."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO, get_args

from proto.fields import Role
from shared.mesh.bus.keys import KeysUnusableError, create_keys, load_key_ring
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.settings import SettingsError, load_configuration

OK, UNUSABLE = 0, 1


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout (or `--root`), the process environment and the standard streams."""
    return run(argv, environment=os.environ, output=sys.stdout, errors=sys.stderr)


def run(argv: Sequence[str], *, environment: Mapping[str, str], output: TextIO, errors: TextIO) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        configuration = load_configuration(root=arguments.root, environment=environment)
        directory = PrivateDirectory(configuration.keys_directory)
        if arguments.action == "create":
            _create(directory, arguments.instances or get_args(Role), output)
        else:
            _show(directory, output)
    except (KeysUnusableError, PrivateFileError, SettingsError) as error:
        errors.write(f"bowline keys: {error}\n")
        return UNUSABLE
    return OK


def _create(directory: PrivateDirectory, instances: Sequence[str], output: TextIO) -> None:
    created = create_keys(directory, instances)
    output.write(
        f"{directory.path}: created {', '.join(created)}\n" if created else f"{directory.path}: all there already\n"
    )


def _show(directory: PrivateDirectory, output: TextIO) -> None:
    ring = load_key_ring(directory, "operator")
    output.writelines(f"{instance:<24} {public_key.decode()}\n" for instance, public_key in ring.public_keys.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bowline keys", description=__doc__)
    parser.add_argument("action", choices=("create", "show"), help="make the missing pairs, or list the public keys")
    parser.add_argument("instances", nargs="*", help="a role, or a role-name such as feed-2; all roles by default")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help=argparse.SUPPRESS)
    return parser
