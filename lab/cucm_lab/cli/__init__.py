# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the lab, a file for each group of commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..control import ControlError
from ..scenario import ScenarioError
from . import calls, controls, fixtures, lifecycle
from .lifecycle import running

__all__ = ["main", "running"]

DEFAULT_STATE = "build/lab"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    options.state = Path(options.state).absolute()
    try:
        return int(options.run(options) or 0)
    except (ControlError, ScenarioError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cucm_lab", description="Emulated CUCM clusters on loopback.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", default=os.environ.get("CUCM_LAB_STATE", DEFAULT_STATE), help="state directory")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str, /) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for group in (lifecycle, calls, controls, fixtures):
        group.add(command)
    return parser
