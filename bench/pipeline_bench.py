"""The pipeline engine beside ninja and make on the same graphs; Snakemake on the smaller one when asked for. Results are checked: every step
ran once, every file is there.

`RONDO_BENCH_PEERS=snakemake` adds it when it is on PATH (it takes minutes); RONDO_BENCH_LARGE=1 adds the plan of 100,000 steps.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import harness as h

JOBS = "2"


def timed(command, cwd, env=None):
    """(wall seconds, CPU seconds of it and all its children, peak RSS MB)."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1", **(env or {})})
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    message = process.stderr.read().decode()
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command}: exit {os.waitstatus_to_exitcode(status)}\n{message[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def write(folder, n, chain=False):
    """n steps that write one file each through sh: from one input, or each from the one before."""
    folder.mkdir(parents=True)
    (folder / "in").write_text("x\n")
    rondo, ninja, make = ["project: bench\nstages:\n"], ["rule r\n  command = $cmd\n"], ["all: " + " ".join(f"o{i}" for i in range(n)) + "\n"]
    for i in range(n):
        dep = f"o{i - 1}" if chain and i else "in"
        cmd = f"cat {dep} > o{i}"
        rondo.append(f"  s{i}:\n    cmd: {cmd}\n    deps: [{dep}]\n    outs: [o{i}]\n")
        ninja.append(f"build o{i}: r {dep}\n  cmd = {cmd}\n")
        make.append(f"o{i}: {dep}\n\t{cmd}\n")
    (folder / "rondo.yaml").write_text("".join(rondo))
    (folder / "build.ninja").write_text("".join(ninja))
    (folder / "Makefile").write_text("".join(make))
    snake = ["rule all:\n  input: [" + ", ".join(f'"o{i}"' for i in range(n)) + "]\n"]
    for i in range(n):
        dep = f"o{i - 1}" if chain and i else "in"
        snake.append(f'rule s{i}:\n  input: "{dep}"\n  output: "o{i}"\n  shell: "cat {dep} > o{i}"\n')
    (folder / "Snakefile").write_text("".join(snake))


def clean(folder, n):
    for i in range(n):
        (folder / f"o{i}").unlink(missing_ok=True)
    for name in (".rondo", ".snakemake"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("rondo.lock", ".ninja_log", ".ninja_deps"):
        (folder / name).unlink(missing_ok=True)


def check(folder, n):
    assert all((folder / f"o{i}").read_text() == "x\n" for i in range(n)), "a step did not run"


COMMANDS = {"rondo": [str(h.RONDO), "run", "--jobs", JOBS], "ninja": ["ninja", f"-j{JOBS}"], "make": ["make", f"-j{JOBS}"]}


def full(folder, n, names, rounds=3):
    out = {}
    for name in names:
        walls = []
        for _ in range(rounds):
            clean(folder, n)
            walls.append(timed(COMMANDS[name], folder)[0])
            check(folder, n)
        out[name] = min(walls)
    return out


def null(folder, names, rounds=5):
    """CPU ms of a run that has nothing to do; all steps were run by each program before."""
    out = {}
    for name in names:
        timed(COMMANDS[name], folder)
        time.sleep(0.1)
        timed(COMMANDS[name], folder)
        out[name] = min(timed(COMMANDS[name], folder)[1] for _ in range(rounds)) * 1e3
    return out


def handover(folder, n=200):
    """Gaps between the end of a step and the start of the next in a chain, from the run's own record."""
    clean(folder, n)
    timed(COMMANDS["rondo"], folder)
    stages = json.loads(subprocess.run([h.RONDO, "runs", "--json"], cwd=folder, capture_output=True, check=True).stdout)[0]["stages"]
    stages.sort(key=lambda s: s["started"])
    return [max(0, b["started"] - a["ended"]) for a, b in zip(stages, stages[1:])]


def show(what, values, unit):
    print(f"{what}: " + ", ".join(f"{name} {value:.4g} {unit}" for name, value in values.items()))


def main():
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        write(scratch / "wide", 1000)
        walls = full(scratch / "wide", 1000, COMMANDS)
        show("1,000 steps through sh, 2 jobs", walls, "s")
        print(f"  rondo / ninja: {walls['rondo'] / walls['ninja']:.2f} (target 1.2); {1000 / walls['rondo']:.0f} steps/s")
        show("nothing to do, 1,000 steps (CPU; target 15 ms)", null(scratch / "wide", COMMANDS), "ms")
        for peer in filter(None, os.environ.get("RONDO_BENCH_PEERS", "").split(",")):
            if peer == "snakemake":
                clean(scratch / "wide", 1000)
                print(f"  snakemake, the same: {timed(['snakemake', '-c' + JOBS, '--quiet'], scratch / 'wide')[0]:.1f} s")
        write(scratch / "chain", 200, chain=True)
        walls = full(scratch / "chain", 200, COMMANDS)
        show("a chain of 200", {k: v / 200 * 1e3 for k, v in walls.items()}, "ms a step")
        gaps = sorted(handover(scratch / "chain"))
        print(f"hand-over: p50 {gaps[len(gaps) // 2]} ms, p99 {gaps[int(len(gaps) * 0.99)]} ms (targets 3, 15; the record counts whole ms)")
        n = 20000
        write(scratch / "large", n)
        walls = {name: timed(COMMANDS[name], scratch / "large")[0] for name in ("rondo",)}
        check(scratch / "large", n)
        show("20,000 steps, first run", walls, "s")
        show("nothing to do, 20,000 steps (CPU; target 150 ms)", null(scratch / "large", ("rondo", "ninja")), "ms")
        # One of the inputs: a step of its own.
        text = (scratch / "large" / "rondo.yaml").read_text() + "  last: {cmd: cat one > olast, deps: [one], outs: [olast]}\n"
        (scratch / "large" / "rondo.yaml").write_text(text)
        (scratch / "large" / "one").write_text("1")
        timed(COMMANDS["rondo"], scratch / "large")
        times = []
        for k in range(3):
            (scratch / "large" / "one").write_text(f"{k} changed")
            time.sleep(0.05)
            times.append(timed(COMMANDS["rondo"], scratch / "large")[0] * 1e3)
        print(f"one changed input among 20,000: {min(times):.0f} ms (target 200 and the step)")
        if os.environ.get("RONDO_BENCH_LARGE"):
            n = 100_000
            folder = scratch / "huge"
            folder.mkdir()
            (folder / "in").write_text("x\n")
            (folder / "rondo.yaml").write_text("project: huge\nvars: [items.json]\nstages:\n  s:\n    foreach: ${items}\n    do: {cmd: 'cat in > o${item}', deps: [in], outs: ['o${item}']}\n")
            (folder / "items.json").write_text(json.dumps({"items": list(range(n))}))
            wall, cpu, rss = timed([str(h.RONDO), "plan", "--json"], folder)
            print(f"plan of 100,000 steps: {wall:.2f} s, {rss:.0f} MB (targets 1 s, 200 MB)")


if __name__ == "__main__":
    main()
