# SPDX-License-Identifier: GPL-2.0-only
"""A picture of cost over group size, as SVG: both axes logarithmic, a line for
each kernel."""

import math
from html import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 120, 50, 50
COLOURS = ("#555555", "#1764ab", "#c1502e", "#3a7d34")
FONT = 'font-family="sans-serif" font-size="13"'


class Scale:
    """Maps values onto a stretch of pixels, logarithmically."""

    def __init__(self, values, start, end):
        self.low, self.high = math.log(min(values)), math.log(max(values))
        self.start, self.end = start, end

    def at(self, value):
        """The pixel of a value."""
        share = (math.log(value) - self.low) / ((self.high - self.low) or 1)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low, high):
    """Round numbers that reach from below `low` to above `high`: 1, 2, 5, 10, ..."""
    numbers = []
    power = 10 ** math.floor(math.log10(low))
    while not numbers or numbers[-1] < high:
        for step in (1, 2, 5):
            numbers.append(step * power)
        power *= 10
    first = max(i for i, tick in enumerate(numbers) if tick <= low)
    last = min(i for i, tick in enumerate(numbers) if tick >= high)
    return numbers[first:last + 1]


def amount(number):
    """1500000 -> 1.5 M"""
    for unit, name in ((10 ** 9, " G"), (10 ** 6, " M"), (10 ** 3, " k")):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def _text(x, y, words, anchor="middle"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {FONT}>{escape(words)}</text>'


def _axes(across, up, sizes, marks):
    """Lines of the grid, and their numbers."""
    lines = []
    for mark in marks:
        y = up.at(mark)
        lines += [f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#dddddd"/>', _text(LEFT - 8, y + 4, amount(mark), "end")]
    for size in sizes:
        lines.append(_text(across.at(size), HEIGHT - BOTTOM + 20, str(size)))
    return lines


def _line(across, up, points, colour):
    """A kernel's line, with a dot for each figure."""
    path = " ".join(f"{across.at(size)},{up.at(value)}" for size, value in points)
    dots = [f'<circle cx="{across.at(size)}" cy="{up.at(value)}" r="3" fill="{colour}"/>' for size, value in points]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _legend(titles):
    lines = []
    for number, (title, colour) in enumerate(zip(titles, COLOURS)):
        y = TOP + 20 * number
        lines += [f'<path d="M{WIDTH - RIGHT + 12} {y}h20" stroke="{colour}" stroke-width="2"/>',
                  _text(WIDTH - RIGHT + 38, y + 4, title, "start")]
    return lines


def draw(title, unit, curves):
    """The text of an SVG. `curves`: {kernel: [(size, value)]}, none empty."""
    points = [point for curve in curves.values() for point in curve]
    sizes = sorted({size for size, _ in points})
    marks = ticks(min(v for _, v in points), max(v for _, v in points))
    across, up = Scale(sizes, LEFT + 20, WIDTH - RIGHT - 20), Scale(marks, HEIGHT - BOTTOM, TOP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             _text(WIDTH / 2, 24, f"{title} ({unit})"), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "devices in the group"),
             *_axes(across, up, sizes, marks)]
    for curve, colour in zip(curves.values(), COLOURS):
        lines += _line(across, up, sorted(curve), colour)
    return "\n".join(lines + _legend(curves) + ["</svg>"]) + "\n"
