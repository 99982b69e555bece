# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch on every mail, SPDX lines, shellcheck, and Python's own sanity."""

import os
import re
from fnmatch import fnmatch

from give import export
from ground import console, proc
from ground.errors import Failed, first_of
from ground.layout import remove

FINDING = re.compile(r"^(?:#?\d*: ?)?(\S*?):(\d+): (ERROR|WARNING|CHECK):([A-Z0-9_]+): (.*)")
NO_SPDX = ("COPYING",)
OBSOLETE = "Obsolete"
ALLOW = "queue/check/checkpatch-allow"
# The history of mainline is not here; and maintainers() looks at the new files.
IGNORED = "UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES"


def cases(ctx):
    """These checks; only checkpatch is dear enough to be remembered."""
    key = [entry.key for entry in ctx.entries][-1:] + [*_allow_texts(ctx.layout), ctx.state.base_commit]
    return [("spdx", spdx, None),
            ("shellcheck", shellcheck, None),
            ("python", python, None),
            ("maintainers", maintainers, None),
            ("spelling", spelling, None),
            ("recipients", recipients, key),
            ("checkpatch", checkpatch, key)]


def _allow_files(layout):
    """The files that say which CHECKs are fine: the series' own, and, for a port, that of
    the series at the top, with which it shares files."""
    shared = layout.root / ALLOW
    return [layout.home / shared.name, shared] if layout.port else [shared]


def _allow_texts(layout):
    return [path.read_text(encoding="utf-8") if path.is_file() else "" for path in _allow_files(layout)]


def allowed(text):
    """Entries of checkpatch-allow: {(type, path)}; each needs a reason.

    Raises Failed on a line without one.
    """
    pairs = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 2)
        if len(words) < 3:
            raise Failed(f"queue/check/checkpatch-allow:{number}: 'TYPE path reason' is the form")
        pairs.add((words[0], words[1]))
    return pairs


def findings(text):
    """checkpatch's findings: [(severity, type, path, line as printed)]."""
    rows = []
    for line in text.splitlines():
        match = FINDING.match(line)
        if match:
            rows.append((match.group(3), match.group(4), match.group(1), line))
    return rows


def _root(ctx):
    """A folder that looks to checkpatch like the tree, but has no get_maintainer.pl, which
    it would ask about each file of each mail whether that is obsolete: recipients() asks
    once a patch."""
    root = ctx.layout.work / "check" / "root"
    remove(root)
    (root / "scripts").mkdir(parents=True)
    for path in [*ctx.tree.path.iterdir(), *(ctx.tree.path / "scripts").iterdir()]:
        if path.name not in ("scripts", "get_maintainer.pl"):
            (root / path.relative_to(ctx.tree.path)).symlink_to(path)
    return root


def _one_mail(ctx, folder, root, item):
    """Runs checkpatch on one mail; returns (name, findings, output)."""
    name, data = item
    path = folder / name
    path.write_bytes(data)
    argv = ["perl", "scripts/checkpatch.pl", f"--root={root}", "--strict", "--no-signoff",
            "--no-summary", "--show-types", "--terse", "--showfile", "--no-color", "--ignore", IGNORED, str(path)]
    # A tree that starts at a release has no mainline history: without a .git the
    # form of a commit's name is judged, and that the commit is unknown is no news.
    env = dict(os.environ, LC_ALL="C.UTF-8", GIT_DIR="/nonexistent")
    status, out, err = proc.call(argv, cwd=ctx.tree.path, env=env)
    text = (out + err).decode("utf-8", "replace")
    complaints = findings(text)
    if status and not complaints:
        complaints = [("ERROR", "RUN", name, f"{name}: checkpatch: {' '.join(text.split())[:200]}")]
    return name, complaints, text


def maintainers(ctx):
    """Every new file is in a section of MAINTAINERS."""
    text = ctx.git.bytes("show", f"{ctx.tip}:MAINTAINERS").decode()
    known = re.findall(r"^F:\s+(\S+)", text, re.M)
    names = ctx.git.bytes("diff", "--name-only", "--diff-filter=A", ctx.base_commit, ctx.tip).decode().split()
    first_of([f"{name} has no line in MAINTAINERS" for name in names
              if not any(fnmatch(name, line + "*" if line.endswith("/") else line) for line in known)])
    return f"{len(names)} new files"


def states(text):
    """What MAINTAINERS says of the states of subsystems."""
    return set(re.findall(r"^S:\s+(.*)", text, re.M))


def subsystems(text, known):
    """Names of subsystems in what get_maintainer.pl prints, people, lists and the `known`
    states aside."""
    return {line for line in text.splitlines() if line and "@" not in line} - {"THE REST"} - known


def _asked(ctx, known, *words):
    """subsystems() of get_maintainer.pl, run in the tree of the series. Raises Failed for
    one that is obsolete."""
    argv = ["perl", "scripts/get_maintainer.pl", "--nogit", "--nogit-fallback", "--subsystem", "--status",
            "--norolestats", *words]
    status, out, err = proc.call(argv, cwd=ctx.tree.path)
    if status:
        raise Failed(f"get_maintainer.pl: {' '.join(err.decode('utf-8', 'replace').split())[:200]}")
    text = out.decode("utf-8", "replace")
    if OBSOLETE in text.splitlines():
        raise Failed(f"get_maintainer.pl says of {words[-1]} that it is obsolete")
    return subsystems(text, known)


def strays(folders, asked):
    """Lines for the patches that would be sent to nobody who owns the folder in which
    they are. `folders`: {patch: folder}; `asked`: {patch or folder: subsystems}."""
    return [f"{name}: get_maintainer.pl sends it to {', '.join(sorted(asked[name])) or 'nobody'}, not to those of {folder}"
            for name, folder in folders.items() if not asked[name] & asked[folder]]


def recipients(ctx):
    """get_maintainer.pl sends each patch to the subsystem whose folder it is in."""
    mails = export.mails(ctx.tree, ctx.entries)
    folders = {entry.name: os.path.dirname(entry.name) for entry in ctx.entries}
    home = ctx.layout.work / "check" / "recipients"
    remove(home)
    home.mkdir(parents=True, exist_ok=True)
    new = [path for entry in ctx.entries for path in entry.files]
    words = {folder: ["-f", folder, *[path for path in new if os.path.dirname(path) == folder]]
             for folder in folders.values()}
    for entry, (name, data) in zip(ctx.entries, mails):
        (home / name).write_bytes(data)
        words[entry.name] = [str(home / name)]
    known = states((ctx.tree.path / "MAINTAINERS").read_text(encoding="utf-8"))
    with console.stage(f"get_maintainer.pl on {len(mails)} mails"):
        with proc.threads() as pool:
            asked = dict(zip(words, pool.map(lambda arguments: _asked(ctx, known, *arguments), words.values())))
    first_of(strays(folders, asked), ctx.log("recipients"))
    return f"{len(mails)} mails"


def checkpatch(ctx):
    """0 errors, 0 warnings; a CHECK only with a reason in queue/check/checkpatch-allow."""
    folder = ctx.layout.work / "check" / "mails"
    remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
    own, *shared = map(allowed, _allow_texts(ctx.layout))
    fine, used = own.union(*shared), set()
    mails, root = export.mails(ctx.tree, ctx.entries), _root(ctx)
    problems, texts = [], []
    with console.stage(f"checkpatch on {len(mails)} mails"):
        with proc.threads() as pool:
            results = list(pool.map(lambda item: _one_mail(ctx, folder, root, item), mails))
    for name, complaints, text in results:
        texts.append(f"== {name}\n{text}")
        for severity, kind, path, line in complaints:
            if severity == "CHECK" and (kind, path) in fine:
                used.add((kind, path))
                console.say(f"# allowed: {line}")
            else:
                problems.append(f"{name[:4]} {line}")
    problems += [f"{ctx.layout.shown(_allow_files(ctx.layout)[0])}: {kind} {path} is no longer found: remove the line"
                 for kind, path in sorted(own - used)]
    log = ctx.log("checkpatch")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(texts), encoding="utf-8")
    if problems:
        first_of(problems, log.with_name("check-checkpatch-problems.log"))
    return f"{len(mails)} mails, 0 errors, 0 warnings, {len(used)} CHECKs allowed"


def own_words(mail):
    """The text of a mail and the lines that it adds, each on the line that it had."""
    head, *files = re.split(r"^(?=diff --git )", mail, flags=re.M)
    lines = "".join(files).split("\n")
    return head + "\n".join(line if re.match(r"\+(?!\+\+)", line) else "" for line in lines)


def spelling(ctx):
    """codespell knows no word of the mails for a mistake."""
    folder = ctx.layout.work / "check" / "words"
    remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in export.mails(ctx.tree, ctx.entries):
        (folder / name).write_text(own_words(data.decode("utf-8", "replace")), encoding="utf-8")
    _, out, err = proc.call(["codespell", "."], cwd=folder)
    first_of((out + err).decode("utf-8", "replace").splitlines(), ctx.log("spelling"))


def spdx(ctx):
    """An SPDX line near the top of every file of this project."""
    problems = []
    for path in ctx.repository:
        if path in NO_SPDX or path.endswith(".patch"):
            continue
        data = (ctx.layout.root / path).read_bytes()
        if data and b"SPDX-License-Identifier: GPL-2.0" not in b"\n".join(data.split(b"\n")[:5]):
            problems.append(f"{path} has no SPDX-License-Identifier: GPL-2.0-only in its first lines")
    first_of(problems)


def _shell_scripts(ctx):
    """Shell scripts of the repository, by their first line."""
    scripts = []
    for path in ctx.repository:
        place = ctx.layout.root / path
        if place.is_file() and not path.endswith(".patch"):
            with open(place, "rb") as text:
                if re.match(rb"#!.*\b(?:ba|da)?sh\b", text.readline()):
                    scripts.append(path)
    return scripts


def shellcheck(ctx):
    """shellcheck on every shell script, one by one."""
    scripts, log = _shell_scripts(ctx), ctx.log("shellcheck")
    if scripts and proc.logged(["shellcheck", "-x", "-P", "SCRIPTDIR", "-f", "gcc", *scripts], log, cwd=ctx.layout.root):
        lines = [line for line in log.read_text(encoding="utf-8").splitlines()
                 if re.match(r"\S+:\d+:\d+: ", line)]
        raise Failed(lines[0] if lines else "shellcheck failed", log)
    return f"{len(scripts)} scripts"


def python(ctx):
    """The machinery compiles, and pyflakes finds nothing in it."""
    files = [p for p in ctx.repository if p.endswith(".py")]
    for path in files:
        text = (ctx.layout.root / path).read_text(encoding="utf-8")
        try:
            compile(text, path, "exec")
        except SyntaxError as error:
            raise Failed(f"{path}:{error.lineno}: {error.msg}") from None
    log = ctx.log("python")
    if files and proc.logged(["pyflakes3", *files], log, cwd=ctx.layout.root):
        raise Failed("pyflakes3: " + log.read_text(encoding="utf-8").splitlines()[1], log)
    return f"{len(files)} modules"
