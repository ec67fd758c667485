"""A checkpoint's code as a picture to print: the QR code with names and what can be typed under it, or the code alone as PNG."""

import io
from xml.sax.saxutils import escape

import segno

from camera_config.site import Checkpoint

__all__ = ["qr_png", "qr_svg"]

PNG_SCALE = 12
"""Pixels a module: 5 cm at 300 dpi for the usual 41 modules and their border."""

LABEL_HEIGHT = 13  # in modules, for three lines of text
GROUP = 4
"""Letters of the seal that are read and typed at once."""


def qr_svg(checkpoint: Checkpoint, text: str) -> bytes:
    """An SVG of 60 mm width. Error correction "Q": a quarter may be scratched off, as on walls it will be."""
    code = segno.make_qr(text, error="q")
    width, height = code.symbol_size()
    lines = (
        (3.2, 3, checkpoint.name.zh),
        (6.4, 2, f"{checkpoint.name.en} · {checkpoint.id}"),
        (9.6, 2, _typed(text)),
    )
    labels = "".join(
        f'<text x="{width / 2}" y="{height + y}" font-size="{size}" font-family="sans-serif" text-anchor="middle" '
        f'textLength="{min(width - 2, len(name) * size)}" lengthAdjust="spacingAndGlyphs">{escape(name)}</text>'
        for y, size, name in lines
    )
    millimetres = 60 * (height + LABEL_HEIGHT) / width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="{millimetres:.1f}mm" '
        f'viewBox="0 0 {width} {height + LABEL_HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>'
        f"{code.svg_inline()}{labels}</svg>"
    ).encode()


def _typed(text: str) -> str:
    """What a phone without a camera needs of the code: `1-MZXW-6YTB-OI5D-GNBV`, version and seal. It knows the checkpoint."""
    version, seal = text.split(":")[-2:]
    return "-".join([version, *(seal[at : at + GROUP] for at in range(0, len(seal), GROUP))])


def qr_png(text: str) -> bytes:
    """The code alone, black on white."""
    out = io.BytesIO()
    segno.make_qr(text, error="q").save(out, kind="png", scale=PNG_SCALE)
    return out.getvalue()
