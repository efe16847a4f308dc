# SPDX-License-Identifier: Apache-2.0
"""Bar charts as SVG, written by hand: no library, no script inside, readable on light and dark pages."""
from xml.sax.saxutils import escape

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
WIDTH, LABEL, BAR, GAP, TOP = 760, 190, 15, 10, 62


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def text(x, y, words, size=12, anchor="start", weight="normal", fill="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{fill}">{escape(words)}</text>')


def bars(title, unit, series, rows, marks=()):
    """rows: [(label, [value of each series or None])]; marks: [(label, value)], drawn as lines."""
    values = [v for _, row in rows for v in row if v is not None] + [v for _, v in marks]
    scale = (WIDTH - LABEL - 90) / (max(values) or 1)
    height = TOP + len(rows) * (len(series) * BAR + GAP) + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" role="img">',
           f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           text(10, 22, title, 15, weight="bold"), text(10, 42, unit, 12, fill="#555")]
    at = LABEL
    for index, name in enumerate(series):
        out.append(f'<rect x="{at}" y="32" width="11" height="11" fill="{COLOURS[index % len(COLOURS)]}"/>')
        out.append(text(at + 15, 42, name))
        at += 32 + 7 * len(name)
    y = TOP
    for label, row in rows:
        out.append(text(LABEL - 8, y + len(series) * BAR / 2 + 4, label, anchor="end"))
        for index, value in enumerate(row):
            if value is not None:
                out.append(f'<rect x="{LABEL}" y="{y + 1}" width="{max(1, value * scale):.1f}" height="{BAR - 2}" '
                           f'fill="{COLOURS[index % len(COLOURS)]}"/>')
                out.append(text(LABEL + value * scale + 5, y + BAR - 3, number(value), 11))
            y += BAR
        y += GAP
    for label, value in marks:
        x = LABEL + value * scale
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{y}" stroke="#222" stroke-dasharray="4 3"/>')
        out.append(text(x, y + 14, label, 11, anchor="middle"))
    return "\n".join(out + ["</svg>", ""])
