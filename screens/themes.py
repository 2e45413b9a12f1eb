"""The two themes: calm surfaces, one colour that means danger, one that means now, everything else quiet."""

from textual.theme import Theme

DARK = "console-dark"
LIGHT = "console-light"

_DARK_INK = {
    "quiet": "#7d8793",
    "good": "#7fb685",
    "now": "#e3b341",
    "danger": "#f2605a",
    "ident": "#79b8ff",
    "rule": "#232a33",
    "bar": "#151b23",
    "cursor": "#1c2430",
    "on-danger": "#14080a",
}
_LIGHT_INK = {
    "quiet": "#667079",
    "good": "#1f7a3a",
    "now": "#8f5f00",
    "danger": "#c3221f",
    "ident": "#0b57b0",
    "rule": "#d9dcd8",
    "bar": "#eceeea",
    "cursor": "#e2e8f0",
    "on-danger": "#ffffff",
}

THEMES = (
    Theme(
        name=DARK,
        dark=True,
        primary="#79b8ff",
        secondary="#7d8793",
        accent="#e3b341",
        warning="#e3b341",
        error="#f2605a",
        success="#7fb685",
        foreground="#d6dde6",
        background="#0d1117",
        surface="#11171f",
        panel="#1a212b",
        variables={
            **_DARK_INK,
            "scrollbar": "#2a323d",
            "scrollbar-hover": "#3a4552",
            "scrollbar-active": "#4a5766",
            "scrollbar-background": "#0d1117",
            "scrollbar-background-hover": "#0d1117",
            "scrollbar-background-active": "#0d1117",
            "scrollbar-corner-color": "#0d1117",
            "input-selection-background": "#79b8ff 30%",
            "border": "#3a4552",
            "border-blurred": "#232a33",
        },
    ),
    Theme(
        name=LIGHT,
        dark=False,
        primary="#0b57b0",
        secondary="#667079",
        accent="#8f5f00",
        warning="#8f5f00",
        error="#c3221f",
        success="#1f7a3a",
        foreground="#1d242b",
        background="#fbfbf9",
        surface="#f4f5f2",
        panel="#e9ebe7",
        variables={
            **_LIGHT_INK,
            "scrollbar": "#cdd2cd",
            "scrollbar-hover": "#b3bab4",
            "scrollbar-active": "#98a09a",
            "scrollbar-background": "#fbfbf9",
            "scrollbar-background-hover": "#fbfbf9",
            "scrollbar-background-active": "#fbfbf9",
            "scrollbar-corner-color": "#fbfbf9",
            "input-selection-background": "#0b57b0 25%",
            "border": "#b3bab4",
            "border-blurred": "#d9dcd8",
        },
    ),
)

FALLBACK_INK = _DARK_INK
"""Values of the console's own variables under a theme that does not define them."""
