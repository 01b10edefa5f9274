"""A log and a change list to the answer of the benchmark's question, by polars, in one scan."""

import json
import sys

import polars as pl

import watched

log, changes = watched.log_of(sys.argv[1])
names = pl.LazyFrame(watched.names(changes), schema=["name", "account", "first"], orient="row")
time = pl.concat_str("date", pl.lit(" "), "time")
rows = (
    pl.scan_csv(
        log,
        separator=" ",
        has_header=False,
        quote_char=None,
        skip_lines=watched.n_directives(log),
        schema=dict.fromkeys(watched.COLUMNS, pl.String),
    )
    .with_columns(name=pl.col("cs_username").str.to_lowercase())
    .join(names, on="name", how="left")
    .group_by("account")
    .agg(
        lines=pl.len(),
        after=((pl.col("sc_status") != "401") & (time >= pl.col("first"))).sum(),
    )
    .collect(engine="streaming")
    .rows()
)
json.dump(
    {
        "records": sum(lines for _, lines, _ in rows),
        "accounts": {account: [lines, after] for account, lines, after in rows if account},
    },
    sys.stdout,
)
