"""One log and several programs to a table of times and a comparison of answers; HttpProxy logs and
W3C logs of the same requests to what a byte of each costs.

First every program answers once, which warms caches and is compared; then they run in turns, round
by round, each round beginning with another one, so that a slow minute of the machine hits all alike.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import watched

HERE = Path(__file__).parent
MIB = 1 << 20


def programs(args, log, changes, out, names):
    """name -> command, in the order of the table."""
    stillin = [args.stillin, "analyze", str(log), *map(str, sorted(changes.parent.glob("*.csv")))]
    out = ["-o", str(out / "out.json")]
    found = {
        "wc -l": ["wc", "-l", str(log)],
        "stillin --hash none": [*stillin, "--hash", "none", *out],
        "sha256sum": ["sha256sum", str(log)],
        "stillin": [*stillin, *out],
    }
    if args.rg:
        rg = [args.rg, "--no-config", "-c"]
        found["rg -c, every request"] = [*rg, "^[^#]", str(log)]
        found["rg -c, watched names"] = [*rg, "-i", "-F", "-f", str(names), str(log)]
    for package in ("duckdb", "polars"):
        if find_spec(package):
            found[package] = [sys.executable, str(HERE / f"ask_{package}.py"), args.data]
    return found


def run(command):
    """Runs to the end; returns stdout, seconds, CPU seconds and the largest resident set.

    A child starts with the resident set of this process, some 20 MiB: nothing comes out smaller.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        if process.returncode != 0:
            stderr.seek(0)
            sys.stderr.write(stderr.read().decode(errors="replace"))
            print(f"whole.py: {command[0]}: exit status {process.returncode}", file=sys.stderr)
            raise SystemExit(2)
        cpu = usage.ru_utime + usage.ru_stime
        return stdout.read().decode(), seconds, cpu, usage.ru_maxrss * 1024


def stillin_answer(args, log, changes, out):
    """The same question to stillin, out of its list of requests and its counts."""
    # By extension: JSON lines.
    requests = out / "requests.jsonl"
    files = map(str, sorted(changes.parent.glob("*.csv")))
    run([args.stillin, "analyze", str(log), *files, "--hash", "none",
         "--requests", str(requests), "-o", str(out / "answer.json")])
    report = json.loads((out / "answer.json").read_text())
    records = sum(s["records"] + s["rejected"] for s in report["sources"] if s["kind"] == "iis-w3c")
    account_of = {name: account for name, account, _ in watched.names(changes)}
    after = Counter()
    with open(requests) as rows:
        for row in map(json.loads, rows):
            account = account_of.get((row["name"] or "").lower())
            # A nameless refusal that was put down to an account is no request under its name.
            if account and row["status"] != 401 and row["class"] != "refused":
                after[account] += 1
    return {"records": records, "after": after}


def compare(answers, accounts):
    """Prints whether the answers agree, and where they do not; returns whether they do."""
    agree = True
    for what in ("lines of the file", "requests", "requests under watched names"):
        told = {tool: answer[what] for tool, answer in answers.items() if what in answer}
        agree &= verdict(what, told)
    asked = [account for account, (_, cuts) in sorted(accounts.items()) if cuts]
    told = {tool: answer["after"] for tool, answer in answers.items() if "after" in answer}
    sums = {tool: sum(after.get(a, 0) for a in asked) for tool, after in told.items()}
    agree &= verdict(f"served since the change, {len(asked)} accounts", sums)
    differing = [a for a in asked if len({after.get(a, 0) for after in told.values()}) > 1]
    if differing:
        agree = False
        print(f"  {len(differing)} accounts differ:")
    for account in differing[:10]:
        print(f"    {account}:", ", ".join(f"{t} {after.get(account, 0)}" for t, after in told.items()))
    if len(differing) > 10:
        print(f"    and {len(differing) - 10} more")
    return agree


def verdict(what, told):
    agree = len(set(told.values())) <= 1
    if len(told) < 2:
        word = "alone "
    else:
        word = "agree " if agree else "differ"
    if told:
        print(f"  {word}  {what}:", ", ".join(f"{tool} {n:,}" for tool, n in told.items()))
    return agree


def first_answers(args, commands, log, changes, out):
    """tool -> answer; a tool answers what it can."""
    answers, directives = {}, watched.n_directives(log)
    lines = int(run(commands["wc -l"])[0].split()[0])
    answers["wc"] = {"lines of the file": lines, "requests": lines - directives}
    if args.rg:
        requests = int(run(commands["rg -c, every request"])[0])
        named = int(run(commands["rg -c, watched names"])[0])
        answers["rg"] = {"requests": requests, "requests under watched names": named}
    for package in ("duckdb", "polars"):
        if package not in commands:
            print(f"  skipped {package}: it is not installed")
            continue
        told = json.loads(run(commands[package])[0])
        answers[package] = {
            "requests": told["records"],
            "requests under watched names": sum(lines for lines, _ in told["accounts"].values()),
            "after": {account: after for account, (_, after) in told["accounts"].items()},
        }
    told = stillin_answer(args, log, changes, out)
    answers["stillin"] = {"requests": told["records"], "after": told["after"]}
    return answers


def rounds(commands, n):
    """name -> list of (seconds, CPU seconds, bytes resident)."""
    order, measured = list(commands), {name: [] for name in commands}
    for turn in range(n):
        shift = turn % len(order)
        for name in order[shift:] + order[:shift]:
            measured[name].append(run(commands[name])[1:])
    return measured


def table(measured, n_bytes):
    """Prints the table; returns name -> median seconds."""
    median = {name: statistics.median(s for s, _, _ in runs) for name, runs in measured.items()}
    print(f"  {'':22} {'median s':>9} {'least':>8} {'most':>8} {'GB/s':>6} {'x wc':>7} "
          f"{'x sha256':>9} {'CPU s':>7} {'RSS MiB':>8}")
    for name, runs in measured.items():
        seconds = [s for s, _, _ in runs]
        cpu = statistics.median(c for _, c, _ in runs)
        resident = max(r for _, _, r in runs)
        print(f"  {name:22} {median[name]:9.3f} {min(seconds):8.3f} {max(seconds):8.3f} "
              f"{n_bytes / median[name] / 1e9:6.2f} {median[name] / median['wc -l']:7.2f} "
              f"{median[name] / median['sha256sum']:9.2f} {cpu:7.2f} {resident / MIB:8.0f}")
    return median


def bound(median, name, base, limit):
    ratio = median[name] / median[base]
    word = "met" if ratio <= limit else "missed"
    print(f"  {word:6}  {name} takes {ratio:.2f} times {base}; the bound is {limit}")


def sized(folders):
    """Bytes of all files in these folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


def rows_of(folder):
    """How many rows the HttpProxy logs of a folder have; reading them warms them up."""
    logs = (path.open("rb") for path in folder.rglob("*.LOG"))
    return sum(not line.startswith(b"#") for log in logs for line in log)


def http_proxy(args, out):
    """Prints what HttpProxy costs beside W3C; returns whether all of its rows were read.

    What a run over a hundred lines takes is taken off, or the smaller logs would seem dear.
    """
    ad, w3c, proxied = (Path(args.mixed) / name for name in ("ad", "iis", "httpproxy"))
    few = out / "few"
    few.mkdir()
    with open(watched.log_of(args.mixed)[0], "rb") as lines:
        (few / "few.log").write_bytes(b"".join(islice(lines, 100)))
    logs = {"100 lines": [few], "W3C": [w3c], "HttpProxy": [proxied], "both": [w3c, proxied]}
    report = out / "mixed.json"
    commands = {
        name: [args.stillin, "analyze", *map(str, [ad, *paths]), "--hash", "none", "-o", str(report)]
        for name, paths in logs.items()
    }
    n_rows = rows_of(proxied)
    run(commands["both"])
    sources = json.loads(report.read_text())["sources"]
    told = sum(s["records"] + s["rejected"] for s in sources if s["kind"] == "http-proxy")
    agree = verdict("rows of HttpProxy", {"lines of the files": n_rows, "stillin": told})

    measured = rounds(commands, args.rounds)
    median = {name: statistics.median(s for s, _, _ in runs) for name, runs in measured.items()}
    per_byte = {}
    print(f"  {'':22} {'bytes':>13} {'median s':>9} {'least':>8} {'most':>8} {'ns/byte':>8}")
    for name, runs in measured.items():
        seconds, n_bytes = [s for s, _, _ in runs], sized(logs[name])
        per_byte[name] = (median[name] - median["100 lines"]) / n_bytes
        print(f"  {name:22} {n_bytes:13,} {median[name]:9.3f} {min(seconds):8.3f} "
              f"{max(seconds):8.3f} {per_byte[name] * 1e9:8.3f}")
    print()
    bound(per_byte, "HttpProxy", "W3C", 2.0)
    return agree


def versions(args):
    def first_line(command):
        try:
            return run(command)[0].splitlines()[0]
        except (OSError, IndexError):
            return f"{command[0]} unknown"

    told = [first_line(["wc", "--version"])]
    if args.rg:
        told.append(first_line([args.rg, "--version"]))
    for package in ("duckdb", "polars"):
        if find_spec(package):
            told.append(f"{package} {version(package)}")
    return ", ".join(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stillin", required=True)
    parser.add_argument("--rg", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", required=True)
    parser.add_argument("--mixed", required=True)
    args = parser.parse_args()
    log, changes = watched.log_of(args.data)
    n_bytes = log.stat().st_size

    print(f"machine: {os.cpu_count()} processors, {platform.platform()}")
    print(f"against: {versions(args)}, Python {platform.python_version()}")
    print(f"log: {n_bytes:,} bytes, warm; {args.rounds} rounds in turns")
    with open(log, "rb", buffering=0) as warm:
        while warm.read(4 * MIB):
            pass
    with tempfile.TemporaryDirectory() as out:
        out = Path(out)
        names = out / "names.txt"
        # Between blanks only a whole value can match, and no other column holds such a value.
        names.write_text("".join(f" {name} \n" for name, _, _ in watched.names(changes)))
        commands = programs(args, log, changes, out, names)
        print("\nanswers")
        agree = compare(first_answers(args, commands, log, changes, out), watched.accounts(changes))
        print("\ntimes")
        median = table(rounds(commands, args.rounds), n_bytes)
        print()
        bound(median, "stillin --hash none", "wc -l", 1.5)
        bound(median, "stillin", "sha256sum", 1.0)
        print("\nHttpProxy, --hash none, time per byte beyond that of a hundred lines")
        agree &= http_proxy(args, out)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
