# SPDX-License-Identifier: GPL-2.0-only
"""Where a data race that KCSAN reports is the series' business."""

from ground import proc
from ground.errors import Stop
from ground.layout import write_file

# Architectures for which 5.10 has KCSAN.
ARCHES = ("x86_64",)


def sources(tree):
    """The C files that the series touches or brings, as paths in the tree."""
    raw = tree.git.bytes("diff", "--name-only", "-z", tree.base_commit(), "--", "*.c")
    return sorted(set(raw.decode("utf-8").split("\0")) - {""})


def parse(text):
    """Names of the functions that nm lists, without the suffixes of the compiler's
    clones, sorted."""
    rows = (line.split() for line in text.splitlines())
    return sorted({row[2].split(".")[0] for row in rows if len(row) == 3 and row[1] in "tT"})


def functions(tree, built):
    """Names of the functions that the kernel has of sources(). Raises Stop when it has
    none."""
    objects = [(built.out / path).with_suffix(".o") for path in sources(tree)]
    objects = [path for path in objects if path.is_file()]
    status, out, err = proc.call(["nm", *objects]) if objects else (1, b"", b"no object files")
    names = parse(out.decode("utf-8"))
    if status or not names:
        raise Stop("cannot tell which functions are the series': " + err.decode("utf-8", "replace").strip()[-200:])
    return names


def options(tree, builds):
    """argv of the harness for a kernel with KCSAN."""
    path = tree.layout.work / "vm" / "races"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = {name for built in builds for name in functions(tree, built)}
    write_file(path, "".join(f"{name}\n" for name in sorted(names)).encode())
    return ["--races", path]
