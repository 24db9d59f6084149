"""Ingest, contract and profile of a 5-million-row, 6-column CSV, against DuckDB's own statements for the same answers (same library, own process)."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROWS = int(os.environ.get("RONDO_BENCH_ROWS", "5000000"))
RUNS = 3

subprocess.run([ROOT / "dev", "build", "ingest_bench"], check=True, stdout=sys.stderr)
program = next(p for p in (ROOT / "build" / "ingest_bench", ROOT / "build" / "bench" / "ingest_bench") if p.exists())
env = {**os.environ, "RONDO_ENGINES": str(ROOT / "build" / "engines")}
with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
    csv = pathlib.Path(folder) / "big.csv"
    subprocess.run([program, "generate", csv, str(ROWS)], check=True)
    results = {"duckdb": [], "rondo": []}
    for _ in range(RUNS):  # in turn, so that both see the same state of the machine
        for mode in results:
            out = subprocess.run([program, mode, csv, pathlib.Path(folder) / f"{mode}.parquet"], check=True, capture_output=True, text=True, env=env).stdout
            results[mode].append(json.loads(out))
    size = csv.stat().st_size / 1e6

median = {mode: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for mode, runs in results.items()}
for mode, m in median.items():
    print(f"ingest, {mode}: {m['cpu']:.2f} CPU s, {m['wall']:.2f} s, {m['rss_mb']:.0f} MB RSS ({ROWS} rows, {size:.0f} MB, median of {RUNS})")
print(f"ingest, CPU ratio rondo / duckdb: {median['rondo']['cpu'] / median['duckdb']['cpu']:.2f} (target 1.5)")
print(f"ingest, RSS: {median['rondo']['rss_mb']:.0f} MB (target 600)")
