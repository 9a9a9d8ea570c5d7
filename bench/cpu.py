"""Processor time of a process and of all that it started, from /proc (Linux).

Wall-clock rates swing with whatever else the machine does; processor time a row hardly does. May
hold: reading /proc. May not: judging.
"""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Seconds used so far by this process, its living children and those it has waited for."""
    try:
        # proc(5): after the name in brackets, utime stime cutime cstime are fields 14 to 17
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own_s = sum(int(each) for each in after_name[11:15]) / _TICKS_PER_S
    return own_s + sum(cpu_s(int(child)) for child in children)
