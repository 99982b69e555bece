# SPDX-License-Identifier: GPL-2.0-only
"""Rules 1 to 5 of the repository, and the form of the file `series`."""

import posixpath
import re

from check import applies
from give import cover, export
from ground.errors import Failed, first_of, Stop
from patches import changes, patchmail, series

SUBJECT = re.compile(r"[^\s:][^:]*(?:: [a-z0-9/_-]+)*: [A-Z0-9]\S*(?: \S+)*")
NOT_IMPERATIVE = re.compile(r"(?:Add|Fix|Mak|Mov|Remov|Us|Chang|Updat|Introduc|Implement|Claim|Releas|"
                            r"Refus|Mark|Delet|Drop|Split|Convert)(?:e?s|p?p?ed|t?t?ed|ing|ping|ting)")
TRAILERS = re.compile(r"^(?:Signed-off-by|Reviewed-by|Acked-by|Tested-by|Co-developed-by):", re.M)
SUBJECT_WIDTH, TEXT_WIDTH = 75, 75


def cases(_):
    """The cheap checks, in the order of the rules."""
    return [("series-format", series_format, None),
            ("rule1-base-by-patch", rule1, None),
            ("rule2-names", rule2, None),
            ("rule3-new-files", rule3, None),
            ("rule4-mails", rule4, None),
            ("rule5-export", rule5, None),
            ("cover-letter", letter, None)]


def series_format(ctx):
    """One patch per line, each once, own-line comments."""
    names = series.names(ctx.layout)
    problems = [] if names else ["series names no patch"]
    problems += [f"series names {n} twice" for n in sorted({n for n in names if names.count(n) > 1})]
    problems += [f"series: {n}: not a plain path to a .patch" for n in names
                 if not n.endswith(".patch") or posixpath.normpath(n) != n or n.startswith(("/", "../"))]
    first_of(problems)
    return f"{len(names)} patches"


def rule1(ctx):
    """The base's paths by patch only, other paths as whole files only."""
    problems = []
    for entry in ctx.entries:
        for path in entry.patch.touched():
            if path not in ctx.base_paths and path not in series.GROWN:
                problems.append(f"{entry.name} changes {path}, which the base lacks: make it a whole file")
        for path in entry.files:
            if path in ctx.base_paths:
                problems.append(f"{path} is a whole file, but the base has it: make it a patch")
    problems += [f"{path} is a whole file, but the base has it: make it a patch"
                 for path in ctx.own if "/" in path and path in ctx.base_paths]
    first_of(list(dict.fromkeys(problems)))


def rule2(ctx):
    """A patch is named by its Subject's slug; every patch is in series."""
    problems = [f"{e.name} should be named {patchmail.slug(e.patch.subject)}.patch" for e in ctx.entries
                if posixpath.basename(e.name) != f"{patchmail.slug(e.patch.subject)}.patch"]
    listed = {e.name for e in ctx.entries}
    problems += [f"{path} is not in series" for path in ctx.own
                 if path.endswith(".patch") and path not in listed]
    first_of(problems)


def rule3(ctx):
    """Every whole file is claimed once, and arrives with what builds it."""
    tops = {path.split("/")[0] for path in ctx.base_paths if "/" in path}
    claimed = {path for e in ctx.entries for path in e.files}
    known = set().union(*map(series.claims, ctx.layout.every()))
    problems = [f"{path} is claimed by no patch: add a New-file line, or remove it" for path in ctx.own
                if path.split("/")[0] in tops and not path.endswith(".patch") and ctx.layout.home / path not in known]
    problems += [f"{path} is claimed, but git does not track it (git add -f)" for path in sorted(claimed)
                 if ctx.layout.shown(ctx.layout.place(path)) not in ctx.repository]
    problems += _twins(ctx)
    for entry, _, commit in ctx.steps:
        for path in entry.files:
            if path.endswith(".c") and not path.startswith(("tools/", "samples/", "Documentation/")):
                problems += _hook(ctx.git, commit, path)
    first_of(problems)
    return f"{len(claimed)} whole files"


def _twins(ctx):
    """Lines for the port's whole files that another port has word for word."""
    homes = [other.home for other in ctx.layout.others() if other.port and ctx.layout.port]
    return [f"{path} is the same in {ctx.layout.shown(home)}: move it to the top, where it stands once"
            for home in homes for entry in ctx.entries for path, (data, _) in entry.files.items()
            if (ctx.layout.home / path).is_file() and (home / path).is_file() and (home / path).read_bytes() == data]


def _hook(repo, commit, path):
    """Problems with the Makefile and Kconfig hooks of a new .c at its commit."""
    folder, name = posixpath.split(path)
    stem = name[:-2]
    text = ""
    for makefile in ("Makefile", "Kbuild"):
        status, out, _ = repo.call("cat-file", "blob", f"{commit}:{folder}/{makefile}")
        text += out.decode() if status == 0 else ""
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines()
             if re.search(rf"(?<![\w-]){re.escape(stem)}\.o\b", line)]
    if not lines:
        included = repo.ok("grep", "-q", f'#include "{name}"', commit, "--", folder)
        return [] if included else [f"{path} arrives without a line in {folder}/Makefile"]
    symbols = set(re.findall(r"\$\(CONFIG_(\w+)\)", " ".join(lines)))
    return [f"{path} hangs on CONFIG_{s}, which no Kconfig defines at that patch" for s in sorted(symbols)
            if not any(repo.ok("grep", "-qE", rf"^\s*(menu)?config {s}$", commit, "--", where)
                       for where in (f"{folder}/Kconfig", "*Kconfig*"))]


def rule4(ctx):
    """Each patch is a mail in the repository's one form, with a proper message."""
    problems = []
    for entry in ctx.entries:
        problems += [f"{entry.name}: {p}" for p in mail_problems(entry)]
    first_of(problems, ctx.log("rule4"))


def mail_problems(entry):
    """What is wrong with one patch as a mail, as a list of lines."""
    patch, problems = entry.patch, []
    if patch.to_bytes() != entry.data:
        problems.append("not in the form that ./dma-owner refresh writes: run it")
    if not SUBJECT.fullmatch(patch.subject) or patch.subject.endswith("."):
        problems.append(f"the Subject '{patch.subject}' is not 'subsystem: Capitalised imperative'")
    elif NOT_IMPERATIVE.fullmatch(patch.subject.rpartition(": ")[2].split()[0]):
        problems.append(f"the Subject '{patch.subject}' is not in the imperative")
    if len(patch.subject) > SUBJECT_WIDTH:
        problems.append(f"the Subject has {len(patch.subject)} characters, {SUBJECT_WIDTH} are allowed")
    if not patch.body.strip():
        problems.append("no text: say context, problem and solution")
    if TRAILERS.search(patch.body):
        problems.append("a trailer of some person: export fills it from SIGNOFF=")
    problems += [f"a line of {len(line)} characters: {line[:30]}..." for line in patch.body.splitlines()
              if len(line) > TEXT_WIDTH and not line.startswith(" ") and " " in line.strip()
              and not line.startswith("Fixes:")]
    return problems


def rule5(ctx):
    """The exported mails, through a real `git am`, give the tree byte for byte."""
    mails = export.mails(ctx.tree, ctx.entries, thread=export.Thread(patchmail.AUTHOR))
    log = ctx.log("rule5")
    repo = applies.am_full(ctx, mails, log)
    problems = []
    if repo.tree_of("HEAD") != ctx.git.tree_of(ctx.tip):
        different = repo.text("diff-tree", "-r", "--name-only", "HEAD", ctx.tip).split("\n")
        problems.append(f"the exported series gives another tree: {different[0]}")
    made = repo.commits(ctx.base_commit, "HEAD")
    for (entry, _, commit), other in zip(ctx.steps, made):
        if repo.message(other) != ctx.git.message(commit):
            problems.append(f"{entry.name}: its message does not survive git am")
    first_of(problems, log)
    return f"{len(mails)} mails"


def letter(ctx):
    """The cover letter and CHANGES are in their form, and fit into a mail."""
    try:
        cover.text(ctx.layout, ctx.entries, "the base")
    except Stop as stop:
        raise Failed(str(stop)) from None
    layout = ctx.layout
    first_of([f"{path.name}: a line of {len(line)} characters: {line[:30]}..."
              for path in (layout.home / cover.NAME, layout.root / changes.NAME)
              for line in path.read_text(encoding="utf-8").splitlines()
              if len(line) > TEXT_WIDTH and not line.startswith("#")])
