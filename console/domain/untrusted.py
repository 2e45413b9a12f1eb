"""Text from outside, made harmless: what a terminal would obey is shown instead.

Log lines, commit messages, file names, answers of servers: whoever prints or paints such a text passes it through
here, so that control sequences and bidirectional overrides in it are seen and never obeyed.
"""

import re

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡", 0x09: "    "}
_HIDDEN = {
    code: f"‹{code:x}›"
    for code in (
        *range(0x80, 0xA0),
        0xAD,
        0x61C,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xD800, 0xE000),
    )
}
_SHOWN = _PICTURES | _HIDDEN
_NEEDS = re.compile(
    "[" + "".join(re.escape(chr(code)) for code in _SHOWN if not 0xD800 <= code < 0xE000) + "\ud800-\udfff]"
)


def safe(text: str) -> str:
    """The text with everything that a terminal could obey replaced by something that it shows."""
    return text if _NEEDS.search(text) is None else text.translate(_SHOWN)


def one_line(text: str) -> str:
    """The text on one line: line breaks become spaces, everything else as `safe` has it."""
    return safe(" ".join(text.splitlines()))
