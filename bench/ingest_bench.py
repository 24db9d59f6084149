"""Ingest, contract and profile of a 5-million-row, 6-column CSV, against DuckDB's own command line with the statements that give the same answers."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROWS = int(os.environ.get("RONDO_BENCH_ROWS", "5000000"))
RUNS = 3
DUCKDB = pathlib.Path(sys.executable).parent / "duckdb"  # from tests/requirements-bench.txt, the version of deps.lock


def statements(csv, parquet):
    """As a careful person writes them: one scan where one will do."""
    table = f"read_parquet('{parquet}')"
    yield f"COPY (SELECT * FROM read_csv('{csv}')) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)"
    # The contract.
    yield (f"SELECT count(*) AS n, count(id) - count(DISTINCT id) AS twice, count(*) FILTER (WHERE id IS NULL), count(*) FILTER (WHERE age < 0), count(*) FILTER (WHERE age > 100), "
           f"count(*) FILTER (WHERE age IS NULL), min(age), max(age), count(*) FILTER (WHERE amount < 0), count(*) FILTER (WHERE isinf(amount)), min(amount), "
           f"count(*) FILTER (WHERE colour NOT IN ('red', 'green', 'blue', 'violet')), count(*) FILTER (WHERE day < DATE '2020-01-01'), min(day), "
           f"count(*) FILTER (WHERE score IS NULL), count(*) FILTER (WHERE isinf(score)) FROM {table}")
    # What SUMMARIZE gives, with the quantiles of our profile and skewness.
    parts = [f"count({x}), approx_count_distinct({x}), min({x}), max({x})" for x in ("id", "age", "amount", "colour", "day", "score")]
    parts += [f"avg({x}), stddev_samp({x}), skewness({x}), approx_quantile({x}, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])" for x in ("id", "age", "amount", "score")]
    yield f"SELECT {', '.join(parts)} FROM {table}"
    for x in ("age", "colour", "day"):
        yield f"SELECT {x}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    for x, low, width in (("id", 0, 166667), ("age", 0, 4), ("amount", 0, 33.4), ("score", 0, 0.34), ("epoch_ms(day::TIMESTAMP)", 1577836800000, 5.3e9)):
        yield f"SELECT floor(({x} - {low}) / {width})::INTEGER AS h, count(*) FROM {table} GROUP BY 1"
    pairs = [("id", "age"), ("id", "amount"), ("id", "score"), ("age", "amount"), ("age", "score"), ("amount", "score")]
    yield f"SELECT {', '.join(f'corr({a}, {b})' for a, b in pairs)} FROM {table}"


def measure(command, **options):
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed: {out}")
    return {"wall": time.monotonic() - begin, "cpu": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024}, out


subprocess.run([ROOT / "dev", "build", "ingest_bench"], check=True, stdout=sys.stderr)
program = next(p for p in (ROOT / "build" / "ingest_bench", ROOT / "build" / "bench" / "ingest_bench") if p.exists())
env = {**os.environ, "RONDO_ENGINES": str(ROOT / "build" / "engines")}
with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
    csv = pathlib.Path(folder) / "big.csv"
    subprocess.run([program, "generate", csv, str(ROWS)], check=True)
    results = {"duckdb": [], "rondo": []}
    for _ in range(RUNS):  # in turn, so that both see the same state of the machine
        sql = ";\n".join(statements(csv, pathlib.Path(folder) / "duckdb.parquet")) + ";"
        figures, out = measure([DUCKDB, "-json", "-c", sql])
        checked = json.loads(next(line for line in out.splitlines() if '"twice"' in line).rstrip(","))
        if (checked[0]["n"], checked[0]["twice"]) != (ROWS, 0):
            raise SystemExit(f"duckdb answers {checked}")
        results["duckdb"].append(figures)
        results["rondo"].append(measure([program, "run", csv, pathlib.Path(folder) / "rondo.parquet"], env=env)[0])
    size = csv.stat().st_size / 1e6

median = {mode: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for mode, runs in results.items()}
for mode, m in median.items():
    print(f"ingest, {mode}: {m['cpu']:.2f} CPU s, {m['wall']:.2f} s, {m['rss_mb']:.0f} MB RSS ({ROWS} rows, {size:.0f} MB, median of {RUNS})")
print(f"ingest, CPU ratio rondo / duckdb's command line: {median['rondo']['cpu'] / median['duckdb']['cpu']:.2f} (target 1.5)")
print(f"ingest, RSS: {median['rondo']['rss_mb']:.0f} MB (target 600)")
