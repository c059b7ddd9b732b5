# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make docs`: the documentation site, by antsibull-docs and Sphinx, to build/docs; a warning is an error.

Nothing is fetched meanwhile. The pages of failures and of variables are filled from the source, so that they can't fall
behind it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dev import failure_sentences, inventory_variables

ROOT = Path(__file__).resolve().parents[1]
LINT = ROOT / ".venv" / "lint" / "bin"
OUT = ROOT / "build" / "docs"


class Broken(Exception):
    """The output of a tool that could not build."""


def build(collection: Path, out: Path) -> Path:
    """Build the site of the collection that lies at ansible_collections/siptls/cucm; the folder of the pages.

    The copy is written into: the generated pages are filled there.
    """
    variables = collection / "docs" / "docsite" / "rst" / "variables.rst"
    variables.write_text(inventory_variables.fill(variables.read_text(encoding="utf-8"), collection), encoding="utf-8")
    page = collection / "docs" / "docsite" / "rst" / "failures.rst"
    page.write_text(failure_sentences.fill(page.read_text(encoding="utf-8"), collection), encoding="utf-8")
    rst = out / "rst"
    shutil.rmtree(out, ignore_errors=True)
    rst.mkdir(parents=True)
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(collection.parents[2])}
    _run(
        LINT / "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
        "--dest-dir", rst, "siptls.cucm", cwd=collection, also=paths,
    )  # fmt: skip
    _open_on_the_picture(rst / "index.rst", collection / "docs" / "what-happens.svg")
    _add_pictures(rst, collection / "docs")
    html = out / "html"
    _run(
        LINT / "sphinx-build", "-M", "html", rst, out, "-c", collection / "docs" / "site", "-W", "--keep-going", "-q",
        "-j", "2", cwd=collection, also=paths,
    )  # fmt: skip
    return html


def _add_pictures(rst: Path, docs: Path) -> None:
    """Copy the pictures that guides show from docs/ to the pages, since antsibull-docs leaves them out."""
    for page in rst.rglob("docsite/*.rst"):
        for name in re.findall(r"^\.\. image:: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            shutil.copy(docs / name, page.parent)


def _open_on_the_picture(index: Path, picture: Path) -> None:
    """Put the picture of what happens below the title of the first page."""
    shutil.copy(picture, index.parent)
    title, line, rest = index.read_text(encoding="utf-8").partition("\n\n.. contents::")
    if not line:
        raise Broken("the first page of the site has no list of contents, above which the picture goes")
    image = f"\n\n.. image:: {picture.name}\n   :alt: One run, from preflight to verification, between two clusters"
    index.write_text(title + image + line + rest, encoding="utf-8")


def _run(*order: str | Path, cwd: Path, also: dict[str, str]) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {"PATH": f"{LINT}{os.pathsep}{os.environ.get('PATH', '')}", **also}
    done = subprocess.run(
        [str(part) for part in order], cwd=cwd, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Broken(done.stdout.strip() or f"{order[0]} ended with {done.returncode}")


def main() -> int:
    """Build the site; the exit code."""
    from dev.gate_tools import copy

    try:
        with copy() as collection:
            built = build(collection, OUT)
    except Broken as complaint:
        print(complaint)
        return 1
    print(f"{len(list(built.rglob('*.html')))} pages; begin with {os.path.relpath(built / 'index.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
