# SPDX-License-Identifier: GPL-2.0-only
"""The model of DMA ownership: searched by spin, as it is and with rules broken.

spin turns the model into a program that visits every state that can be reached.
The model as it is must hold what it claims. Each rule that it can do without
(-DBREAK_...) is taken away in turn; then a fault must be found, or the model
says nothing about the rule.
"""

import re
import shutil
import time
from functools import lru_cache

from ground import console, packages, proc
from ground.errors import Failed, first_of
from ground.layout import remove
from kernel import kbuild
from kernel.kconfig import FRAGMENTS

MODEL = f"{FRAGMENTS}/formal/dma_owner.pml"
# Options of gcc and of the search. No stack gets deeper. The shortest way to a
# fault is the easiest to read, and mostly found before gcc could optimise.
FULL = (("-O2", "-DSAFETY", "-DNOCLAIM", "-DREVERSE"), ("-w24", "-m28000000"))
SHORTEST = (("-O0", "-DSAFETY", "-DNOCLAIM", "-DBFS"), ("-w20",))
# The name of the case that the model as it is holds what it claims, and never stops.
HOLDS = "holds"

_FAULT = re.compile(r"^pan:\d+: (.*?) *\(at depth (\d+)\)", re.M)
_ERRORS = re.compile(r"^State-vector .* errors: (\d+)", re.M)
_STATES = re.compile(r"^ *(\d+) states, stored", re.M)
_UNREACHED = re.compile(r'^\t\S+?:(\d+), state \d+, "(.*)"', re.M)


class Search:
    """One search: its errors, its states, its first fault, and its log. Raises Failed
    when spin did not search to the end."""

    def __init__(self, text, log, seconds):
        self.text, self.log, self.seconds = text, log, seconds
        self.fault = _FAULT.search(text)
        errors, states = _ERRORS.search(text), _STATES.search(text)
        if not errors or not states or "max search depth too small" in text:
            raise Failed("spin did not search to the end", log)
        self.errors, self.states = int(errors[1]), int(states[1])
        if bool(self.errors) != bool(self.fault):
            raise Failed("spin contradicts itself", log)

    def unreached(self):
        """Steps that no order of events takes, ends of endless processes aside."""
        return [f"line {line} is never reached: {step}"
                for line, step in _UNREACHED.findall(self.text) if step != "-end-"]


def rules(text):
    """The rules that can be broken, as in the model's -DBREAK_ names."""
    return sorted(set(re.findall(r"^#ifn?def BREAK_(\w+)", text, re.M)))


def text_of(layout):
    """The model; '' when the series has none."""
    path = layout.root / MODEL
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def versions():
    """spin and the compiler, for keys."""
    return [] if packages.missing(("spin",)) else [proc.call(["spin", "-V"])[1].decode(), kbuild.compiler()]


def search(layout, text, name, defines, kind):
    """Searches the model with these names defined; returns the Search. Raises Failed
    when a tool fails.

    `name`: of its log; `kind`: FULL or SHORTEST.
    """
    home, log = layout.work / "check" / "model" / name, layout.log(f"model-{name}")
    remove(home)
    home.mkdir(parents=True)
    (home / "dma_owner.pml").write_text(text, encoding="utf-8")
    words = [f"-D{d}" for d in defines]
    start = time.monotonic()
    for append, argv in enumerate((["spin", *words, "-a", "dma_owner.pml"],
                                   ["gcc", *kind[0], "-o", "pan", "pan.c"],
                                   ["./pan", *kind[1]])):
        if proc.logged(argv, log, cwd=home, append=bool(append)):
            raise Failed(f"{argv[0]} failed on the model", log)
    output = log.read_text(encoding="utf-8", errors="replace")
    if (home / "dma_owner.pml.trail").is_file():
        proc.logged(["spin", *words, "-t", "-p", "-g", "dma_owner.pml"], log, cwd=home, append=True)
    shutil.rmtree(home)
    return Search(output, log, time.monotonic() - start)


def refute(layout, text, rule):
    """The fault that spin finds without a rule, in words. Raises Failed when it
    finds none."""
    result = search(layout, text, _refutes(rule), [f"BREAK_{rule}"], SHORTEST)
    if not result.errors:
        raise Failed(f"without the rule {rule} spin finds no fault", result.log)
    return f"{result.fault[1]}, after {result.fault[2]} steps, in {result.seconds:.1f} s"


def _hold(layout, text):
    """The search of all states. Raises Failed when there is a fault in one."""
    result = search(layout, text, HOLDS, [], FULL)
    if result.errors:
        raise Failed(result.fault[1], result.log)
    return result


def _jobs(layout, text):
    """Every search by the name of its case, to be called without arguments; the
    longest first."""
    jobs = {HOLDS: lambda: _hold(layout, text)}
    for rule in rules(text):
        jobs[_refutes(rule)] = lambda r=rule: refute(layout, text, r)
    return jobs


def _refutes(rule):
    return "refutes-" + rule.lower().replace("_", "-")


@lru_cache(maxsize=1)
def _searches(layout, text):
    """All searches, as futures by name: as many at a time as there are CPUs."""
    packages.ensure(layout, packages.FOR_MODEL, "to search the model of DMA ownership")
    with console.stage("Searching the model"), proc.threads() as pool:
        return {name: pool.submit(job) for name, job in _jobs(layout, text).items()}


def _case(name):
    def check(ctx):
        result = _searches(ctx.layout, text_of(ctx.layout))[name].result()
        return result if isinstance(result, str) else f"{result.states} states, in {result.seconds:.1f} s"
    return check


def every_step(ctx):
    """No step of the model is out of reach: what it claims, it claims of them all."""
    result = _searches(ctx.layout, text_of(ctx.layout))[HOLDS].result()
    first_of(result.unreached(), result.log)


def cases(ctx):
    """A case for the model, and one for each rule, remembered by the model and its tools."""
    text = text_of(ctx.layout)
    if not text:
        return []
    key = [text, *versions()] if ctx.source else None
    searches = [(f"model:{name}", _case(name), key) for name in _jobs(ctx.layout, text)]
    return searches + [("model:every-step", every_step, key)]
