"""From a matplotlib figure to an SVG that lives inside a page and follows its theme.

Black is the ink and white is the ground: both become CSS colours of the page, so that an ordinary figure, drawn
without a thought of dark mode, reads well in both. The line colours of :data:`HUES` become CSS variables too.
"""

from __future__ import annotations

import html
import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure

HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours, which people with every kind of colour vision tell apart (without black and yellow)."""

_THEME = {"#000000": "currentColor", "#ffffff": "var(--ground)"} | {
    hue: f"var(--hue-{number})" for number, hue in enumerate(HUES, 1)
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_PIXELS_PER_INCH = 96


def to_svg(figure: Figure, *, prefix: str, label: str) -> str:
    """The figure as one ``<svg>`` element; equal figures give equal bytes.

    Args:
        figure: any matplotlib figure.
        prefix: unique on the page: ids inside the element start with it.
        label: what a reader who can't see the picture is told.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "replank"}):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    body = text[text.index(">") + 1 :].strip()
    # matplotlib's own style sheet would apply to the whole page; page.css says the same for pictures alone
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", body)
    body = re.sub("|".join(_THEME), lambda match: _THEME[match[0]], body)
    width, height = figure.get_size_inches()
    return (
        f'<svg role="img" aria-label="{html.escape(label)}" viewBox="0 0 {width * 72:g} {height * 72:g}"'
        f' style="--natural: {width * _PIXELS_PER_INCH:g}px" xmlns="http://www.w3.org/2000/svg"'
        f' xmlns:xlink="http://www.w3.org/1999/xlink">\n{body}'
    )
