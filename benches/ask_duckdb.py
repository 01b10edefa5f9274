"""A log and a change list to the answer of the benchmark's question, by DuckDB, in one scan."""

import json
import sys

import duckdb

import watched

log, changes = watched.log_of(sys.argv[1])
db = duckdb.connect()
db.execute("create table watched (name varchar, account varchar, first varchar)")
db.executemany("insert into watched values (?, ?, ?)", watched.names(changes))
columns = ", ".join(f"'{column}': 'VARCHAR'" for column in watched.COLUMNS)
rows = db.execute(
    f"""
    select account, count(*),
           count(*) filter (where sc_status <> '401' and date || ' ' || time >= first)
    from read_csv(?, delim=' ', header=false, quote='', escape='', auto_detect=false,
                  skip={watched.n_directives(log)}, columns={{{columns}}}) log
    left join watched on lower(log.cs_username) = watched.name
    group by account
    """,
    [str(log)],
).fetchall()
json.dump(
    {
        "records": sum(lines for _, lines, _ in rows),
        "accounts": {account: [lines, after] for account, lines, after in rows if account},
    },
    sys.stdout,
)
