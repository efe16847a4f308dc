# SPDX-License-Identifier: Apache-2.0
"""How long a Photon fiber waits for the processor, idle and loaded: the figures of tests/kernel/latency.py, which also
compares them with the bounds of docs/abi.md; here they are only shown."""
import argparse
import os

import latency

SCENES = ("idle", "loaded")
COLUMNS = latency.COLUMNS + ("interrupts_off",)


def measure(arch, kernel, tool, work):
    args = argparse.Namespace(arch=arch, tool=tool, kernel=kernel, work=os.path.join(work, "latency"), machine="", on=None)
    return latency.measure(args)
