# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a terminal shows: VT100 codes taken out, prompts, pagers and questions recognised.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re

_STRING = re.compile(r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)", re.S)  # OSC, DCS and the like, up to their end
_CODE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()*+#%][\x20-\x7e]|\x1b[\x30-\x7e]|\x1b\[[0-?]*$|\x1b$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# Blanks before a pager are matched from the first one only: a long run of them would take quadratic time.
_BLANKS = r"(?<![ \t])[ \t]*"
# The keys that page through each kind of pager; no newline follows them.
PAGERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(_BLANKS + r"Press <enter> for 1 line, <space> for one page, or <q> to quit[ \t]*"), " "),
    (
        re.compile(
            r"(?<![ \t])[ \t]*options: q=quit, n=next, p=prev, b=begin, e=end \(lines \d+ - (\d+) of \1\) ?:[ \t]*"
        ),
        "q",
    ),
    (re.compile(_BLANKS + r"options: q=quit, n=next, p=prev, b=begin, e=end \(lines [^)\n]{0,40}\) ?:[ \t]*"), "n"),
)
QUESTION = re.compile(
    r"(?:\(\s*(?:yes\s*\|\s*no|yes/no|y/n)\s*\)|\[\s*(?:y/n|yes/no)\s*\])\s*(?:[?:]\s*)?$"
    r"|'y' for <yes> or 'n' for no:\s*$",
    re.IGNORECASE,
)
# The prompt as the node first shows it; set commandcount adds a number, and the text before the colon may differ.
FIRST_PROMPT = re.compile(r"(?:^|\n)([^\n]{0,24}?\badmin\b[^\n:]{0,16}:[ \t]?)$")
# A block that was cut ends at the next one's beginning.
PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----\s(?:(?!-----BEGIN ).)*?-----END \1-----", re.S)


def clean(text: str) -> str:
    """Readable text: no escape sequences, no control characters, LF as the only line end."""
    text = _CODE.sub("", _STRING.sub("", text))
    text = re.sub(r"(?<!\r)\r+\n", "\n", text).replace("\r", "\n")
    return _CONTROL.sub("", _erased(text) if "\x08" in text else text)


def _erased(text: str) -> str:
    """Text with its backspaces carried out, back to the beginning of the line at most."""
    kept: list[str] = []
    for letter in text:
        if letter != "\x08":
            kept.append(letter)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def without_pagers(text: str) -> str:
    """Clean text with the pagers' own lines taken out."""
    for pattern, _key in PAGERS:
        text = pattern.sub("", text)
    return text


def prompt_like(shown: str) -> re.Pattern[str]:
    """The pattern of the prompt that was shown; its numbers (a command count) may change."""
    words = re.split(r"\d+", shown.strip())
    return re.compile(r"(?:^|\n)[ \t]*" + r"\d+".join(re.escape(word) for word in words) + r"[ \t]*$")


def pem_blocks(text: str, *labels: str) -> list[str]:
    """The PEM blocks with these labels (e.g. CERTIFICATE) in a text, each with clean lines and a final newline."""
    found = []
    for match in PEM.finditer(text):
        label = match.group(1)
        if label not in labels:
            continue
        body = re.sub(r"[^A-Za-z0-9+/=]", "", match.group()[len(label) + 16 : -(len(label) + 14)])
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        found.append("\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]))
    return found
