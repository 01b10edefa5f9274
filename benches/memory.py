"""A command to its peak memory: what it has for itself (anonymous pages), apart from mapped files.

The kernel keeps a high-water mark of the whole resident set only, in which the pages of mapped logs
count; of anonymous pages there is none, so they are looked at every 20 ms. A peak that is shorter
than that can be missed. The high-water mark is printed beside it.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

EVERY = 0.020
MIB = 1 << 20
KEYS = ("RssAnon", "RssFile", "RssShmem", "VmHWM")


def look(status):
    """The memory lines of /proc/PID/status in bytes; nothing once the process is gone."""
    try:
        text = Path(status).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    rows = (line.split() for line in text.splitlines())
    return {row[0][:-1]: int(row[1]) * 1024 for row in rows if row and row[0][:-1] in KEYS}


def watch(command):
    """Runs the command; returns its status, seconds, peaks, resource usage and number of looks."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    status, peak, looks = f"/proc/{process.pid}/status", dict.fromkeys((*KEYS, "own"), 0), 0
    while True:
        seen = look(status)
        if seen:
            looks += 1
            seen["own"] = seen.get("RssAnon", 0) + seen.get("RssShmem", 0)
            peak = {key: max(value, seen.get(key, 0)) for key, value in peak.items()}
        pid, exit_status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(exit_status)
            return process.returncode, time.perf_counter() - begin, peak, usage, looks
        time.sleep(EVERY)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-mib", type=float, default=300)
    parser.add_argument("--data", required=True)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    if not Path("/proc/self/status").exists():
        print("memory.py: there is no /proc here; this test needs Linux", file=sys.stderr)
        return 2
    patterns = ("iis/*/*/*.log", "httpproxy/*/*/*.LOG")
    logs = [path.stat().st_size for it in patterns for path in Path(args.data).glob(it)]
    print(f"{sum(logs):,} bytes in {len(logs)} logs: {' '.join(args.command)}")
    status, seconds, peak, usage, looks = watch(args.command)
    if status != 0:
        print(f"memory.py: {args.command[0]}: exit status {status}", file=sys.stderr)
        return 2
    print(f"  {seconds:9.2f} s, {looks} looks")
    print(f"  {peak['own'] / MIB:9.1f} MiB anonymous and shared pages at most")
    print(f"  {peak['RssFile'] / MIB:9.1f} MiB mapped pages at most")
    print(f"  {usage.ru_maxrss * 1024 / MIB:9.1f} MiB maximum resident set (as `/usr/bin/time -v` tells it)")
    met = peak["own"] <= args.limit_mib * MIB
    print(f"  {'met' if met else 'missed'}: the limit is {args.limit_mib:g} MiB beside mapped pages")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
