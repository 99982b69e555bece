#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Print a machine's DMAR or IVRS table with direct mappings added to it.

QEMU's firmware wants no memory mapped for any device. Others do, in an RMRR of
the DMAR table or an IVMD of the IVRS table. Linux replaces such a table by one
of the initrd with a higher revision.

The rest of the table is the machine's own: QEMU lists the devices, and the
firmware numbers the buses behind bridges. So the machine, whose QEMU command
stands after "--", runs without a kernel until the table is in its memory.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

import boot

TABLES = 0x100000       # as much of the end of memory as may hold the tables
POLL_SECONDS = 0.05
SECONDS = 60

LENGTH = slice(4, 8)
CHECKSUM = 9
REVISION = slice(24, 28)


class Mapping:
    """Memory that a device of bus 0 reaches: "DEVICE.FUNCTION=START+LENGTH"."""

    def __init__(self, text):
        device, memory = text.split("=")
        self.slot, self.function = (int(word, 16) for word in device.split("."))
        self.start, self.length = (int(word, 0) for word in memory.split("+"))

    def rmrr(self):
        """Reserved memory region, with a PCI endpoint for its scope."""
        scope = struct.pack("<BBHBBBB", 1, 8, 0, 0, 0, self.slot, self.function)
        return struct.pack("<HHHHQQ", 1, 24 + len(scope), 0, 0, self.start,
                           self.start + self.length - 1) + scope

    def ivmd(self):
        """Memory of one device: unity map, readable, writable."""
        return struct.pack("<BBHHHQQQ", 0x21, 7, 32, self.slot << 3 | self.function,
                           0, 0, self.start, self.length)


def extended(table, mappings):
    """The table with the mappings at its end, as the next revision."""
    table = bytearray(table)
    for mapping in mappings:
        table += mapping.rmrr() if table[:4] == b"DMAR" else mapping.ivmd()
    revision, = struct.unpack("<I", table[REVISION])
    table[LENGTH] = struct.pack("<I", len(table))
    table[REVISION] = struct.pack("<I", revision + 1)
    table[CHECKSUM] = 0
    table[CHECKSUM] = -sum(table) & 0xff
    return bytes(table)


def find(memory, signature):
    """The table of this signature, or None. Only the firmware writes a checksum."""
    at = memory.find(signature)
    while at >= 0:
        length = int.from_bytes(memory[at:at + 8][LENGTH], "little")
        table = memory[at:at + length]
        if len(table) == length > REVISION.stop and not sum(table) & 0xff:
            return table
        at = memory.find(signature, at + 1)
    return None


class Machine:
    """A running QEMU, asked by QMP."""

    def __init__(self, command):
        self.qemu = subprocess.Popen(
            [*command, "-qmp", "stdio"], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, preexec_fn=boot.die_with_parent)

    def ask(self, what, **arguments):
        """What the command returns. Raises ValueError if it fails or QEMU ends."""
        print(json.dumps({"execute": what, "arguments": arguments}),
              file=self.qemu.stdin, flush=True)
        for line in self.qemu.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise ValueError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]
        raise ValueError("QEMU ended early")

    def memory(self):
        """The end of its memory."""
        size = self.ask("query-memory-size-summary")["base-memory"]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "memory")
            self.ask("pmemsave", val=size - TABLES, size=TABLES, filename=path)
            with open(path, "rb") as memory:
                return memory.read()

    def table(self, signature):
        """The table, once the firmware has written it. Raises TimeoutError."""
        self.ask("qmp_capabilities")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            table = find(self.memory(), signature)
            if table:
                return table
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"no {signature.decode()} table within {SECONDS} s")

    def stop(self):
        """End QEMU."""
        self.qemu.kill()
        self.qemu.communicate()


def main():
    """Writes the table to standard output."""
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--table", required=True, choices=("DMAR", "IVRS"))
    parser.add_argument("mappings", nargs="+", type=Mapping,
                        metavar="DEVICE.FUNCTION=START+LENGTH")
    args = parser.parse_args(sys.argv[1:split])
    boot.die_with_parent()
    machine = Machine(sys.argv[split + 1:])
    try:
        table = machine.table(args.table.encode())
    finally:
        machine.stop()
    sys.stdout.buffer.write(extended(table, args.mappings))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as problem:
        sys.exit(f"firmware.py: {problem}")
