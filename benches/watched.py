"""A change list to the names that a log may call its accounts, and to the question of the benchmark.

The question, the same for every tool, per watched account:

* lines: how many requests name it, in any spelling and any case;
* after: how many of those ended at or after its first change and were not refused (sc-status 401).

`after` is asked only of accounts whose every change cuts (disabled, deleted, expired, a password):
then each request since the first change stands under some change, and stillin must list it.
"""

import csv
from pathlib import Path

CUTS = {
    "disabled", "deleted", "expired",
    "password_changed", "password_reset", "password_set",
}
COLUMNS = (
    "date time s_ip cs_method cs_uri_stem cs_uri_query s_port cs_username c_ip "
    "cs_user_agent cs_referer sc_status sc_substatus sc_win32_status time_taken"
).split()
DNS = "fabrikam.example"


def accounts(changes):
    """account -> (first change as `2026-03-02 08:00:01`, whether every change cuts)."""
    found = {}
    with open(changes, newline="") as rows:
        for row in csv.DictReader(rows):
            account = row["account"].lower()
            time = row["time"].replace("T", " ").removesuffix("Z")
            first, cuts = found.get(account, (time, True))
            found[account] = (min(first, time), cuts and row["change"] in CUTS)
    return found


def spellings(account):
    """What a log may call `domain\\sam`, in lower case."""
    sam = account.split("\\")[-1]
    return [account, f"{sam}@{DNS}", sam]


def names(changes):
    """Rows (name, account, first change)."""
    return [
        (name, account, first)
        for account, (first, _) in sorted(accounts(changes).items())
        for name in spellings(account)
    ]


def log_of(data):
    """The one log of a data folder, and its change list."""
    (log,) = Path(data).glob("iis/*/*/*.log")
    return log, Path(data) / "ad" / "changes.csv"


def n_directives(log):
    """Lines before the first request; readers of plain CSV have to skip them."""
    with open(log, "rb") as lines:
        return next(n for n, line in enumerate(lines) if not line.startswith(b"#"))
