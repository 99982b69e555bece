# SPDX-License-Identifier: GPL-2.0-only
"""The aims of the file `aims`, held against measured figures."""

import configparser
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ground.errors import Stop

KEYS = {"what", "figures", "rule", "of", "figure", "limit", "reason"}
PATCHED = "patched"


@dataclass(frozen=True)
class Aim:
    """A section of the file."""
    name: str
    what: str
    figures: tuple
    rule: str
    of: str
    figure: str
    limit: float
    reason: str


@dataclass(frozen=True)
class Verdict:
    """An aim, what was measured, in words, and whether the aim holds."""
    aim: Aim
    measured: str
    holds: bool

    def good(self):
        """Whether the aim holds or says why not."""
        return self.holds or bool(self.aim.reason)


def size_of(name):
    """The size of the group that a figure is about, by its name; 0 for none."""
    match = re.search(r"_(\d+)$", name)
    return int(match.group(1)) if match else 0


def _ratio(mine, other):
    """A ratio as it is printed: to three digits."""
    return round(mine / other, 3)


def _each_ratio(rows, good):
    """The worst of some ratios, and whether all are good."""
    ratios = {name: _ratio(mine, other) for name, mine, other in rows}
    worst = max(ratios, key=ratios.get)
    return f"{ratios[worst]:.3f} ({worst})", all(good(r) for r in ratios.values())


def _check_ratio(rows, limit):
    return _each_ratio(rows, lambda ratio: ratio <= limit)


def _check_below(rows, limit):
    return _each_ratio(rows, lambda ratio: ratio < limit)


def _check_added(rows, limit):
    added = {name: mine - other for name, mine, other in rows}
    worst = max(added, key=added.get)
    return f"{added[worst]:+d} ({worst})", added[worst] <= limit


def _check_falls(rows, _):
    ratios = [_ratio(mine, other) for _, mine, other in sorted(rows, key=lambda row: size_of(row[0]))]
    return " ".join(f"{r:.3f}" for r in ratios), all(b < a for a, b in zip(ratios, ratios[1:]))


def _check_slope(rows, limit):
    (low, mine, other), *_, (high, more, others) = sorted(rows, key=lambda row: size_of(row[0]))
    ratio = _ratio(more - mine, others - other)
    return f"{(more - mine) // (size_of(high) - size_of(low))} each: {ratio:.3f}", ratio <= limit


def _check_even(rows, limit):
    added = [mine - other for _, mine, other in rows]
    return f"{min(added):+d} to {max(added):+d}", max(added) - min(added) <= limit


def _check_flat(rows, limit):
    values = [mine for _, mine, _ in rows]
    ratio = _ratio(max(values), min(values))
    return f"{min(values)} to {max(values)}: {ratio:.3f}", ratio <= limit


def _check_most(rows, limit):
    worst = max(rows, key=lambda row: row[1])
    return f"{worst[1]} ({worst[0]})", worst[1] <= limit


RULES = {"ratio": _check_ratio, "below": _check_below, "added": _check_added, "falls": _check_falls,
         "slope": _check_slope, "even": _check_even, "flat": _check_flat, "most": _check_most}
ALONE = ("flat", "most")    # rules that ask about the patched kernel only


def _aim(part):
    """One section. Raises ValueError where it is not as it should be."""
    unknown = set(part) - KEYS
    rule, other = part.get("rule", ""), part.get("of", "")
    if unknown:
        raise ValueError(f"[{part.name}]: what is '{min(unknown)}'?")
    if rule not in RULES:
        raise ValueError(f"[{part.name}]: the rule must be one of {' '.join(RULES)}")
    if (rule in ALONE) == bool(other):
        raise ValueError(f"[{part.name}]: the rule {rule} takes {'no' if other else 'an'} `of`")
    return Aim(part.name, part["what"], tuple(part["figures"].split()), rule, other, part.get("figure", ""),
               float(part.get("limit", "0")), " ".join(part.get("reason", "").split()))


def load(path):
    """The aims of a file. Raises Stop when it cannot be read."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        return [_aim(parser[name]) for name in parser.sections()]
    except (OSError, configparser.Error, KeyError, ValueError) as error:
        raise Stop(f"{path} cannot be read: {' '.join(str(error).split())}: mend it") from None


def _other(aim, name, figures):
    """What a figure is held against; None if that was not measured."""
    return figures.get(aim.of, {}).get(f"{aim.figure}_{size_of(name)}" if aim.figure else name)


def _rows(aim, figures):
    """[(figure, patched, other)] that an aim is about. Raises Stop for a pattern
    that fits no figure of the patched kernel."""
    mine = figures[PATCHED]
    rows = []
    for pattern in aim.figures:
        names = [name for name in mine if fnmatchcase(name, pattern) and "." not in name]
        if not names:
            raise Stop(f"the aim {aim.name} is about {pattern}, which was not measured")
        rows += [(name, mine[name], _other(aim, name, figures)) for name in names]
    return rows


def judge(aims, figures):
    """The Verdicts on {kernel: {figure: value}}; aims about a kernel that is not
    among them are left out. Raises Stop when a figure is missing."""
    verdicts = []
    for aim in aims:
        if aim.of and aim.of not in figures:
            continue
        rows = _rows(aim, figures)
        absent = [name for name, _, other in rows if aim.of and not other]
        if absent:
            raise Stop(f"the aim {aim.name}: {aim.of} has no figure {absent[0]}")
        measured, holds = RULES[aim.rule](rows, aim.limit)
        verdicts.append(Verdict(aim, measured, holds))
    return verdicts
