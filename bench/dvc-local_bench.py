"""Many small files (70,000 of 275 bytes), many larger ones (5,000 of 1 MB) and one of 2 GB under version: add, status, checkout, beside the real DVC and git. Every result is checked.

RONDO_BENCH_SCALE=0.1 makes it smaller. CPU and wall seconds of the command, and its largest memory.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import harness as h

CACHE = pathlib.Path(os.environ.get("RONDO_CACHE", pathlib.Path.home() / ".cache" / "rondo"))
REAL = CACHE / "venvs" / "dvc" / "bin" / "dvc"
SCALE = float(os.environ.get("RONDO_BENCH_SCALE", "1"))


def timed(command, cwd):
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(cwd.parent / "site")}
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        if status:
            out.seek(0)
            raise SystemExit(f"{command}: {status}\n{out.read().decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def fill(folder, files, size):
    for i in range(files):
        sub = folder / f"{i // 1000:03}"
        sub.mkdir(parents=True, exist_ok=True)
        with open(sub / f"{i}.bin", "wb") as f:
            f.write(hashlib.sha256(str(i).encode()).digest())
            left = size - 32
            while left > 0:
                left -= f.write((i.to_bytes(8, "little") * 131072)[: min(left, 1 << 20)])


def digest(folder):
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*.bin")):
        with open(file, "rb") as f:
            total.update(file.name.encode() + hashlib.file_digest(f, "md5").digest())
    return total.hexdigest()


def work(name, program, scratch, source):
    """Seconds by command of one program in a repository of its own."""
    folder = scratch / name
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    shutil.copytree(source, folder / "data")
    wanted = digest(folder / "data")
    if name == "git":
        return {"add": timed([program, "add", "data"], folder), "add again": timed([program, "add", "data"], folder), "status": timed([program, "status", "-s"], folder)}, None
    timed([program, "init", "-q"], folder)
    rows = {"add": timed([program, "add", "-q", "data"], folder), "add again": timed([program, "add", "-q", "data"], folder), "status": timed([program, "status"], folder)}
    (folder / "data").rename(folder / "old")  # not removed: a file system that has just freed many inodes is slow to make new ones
    rows["checkout, copies"] = timed([program, "checkout", "-q"], folder)
    if digest(folder / "data") != wanted:
        raise SystemExit(f"{name}: the checkout differs")
    return rows, (folder / "data.dvc").read_bytes()


def compare(title, files, size):
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        ours = scratch / "bin" / "dvc"
        ours.parent.mkdir()
        ours.symlink_to(h.RONDO)
        fill(scratch / "source", files, size)
        results, metadata = {}, {}
        for name, program in (("rondo", ours), ("dvc", REAL), ("git", "git")):
            results[name], metadata[name] = work(name, program, scratch, scratch / "source")
        if metadata["rondo"] != metadata["dvc"]:
            raise SystemExit("data.dvc differs from DVC's")
    for command, (wall, cpu, memory) in results["rondo"].items():
        line = f"{title}, {command}: {cpu:.2f} CPU s, {wall:.2f} s, {memory:.0f} MB"
        for other in ("dvc", "git"):
            if command in results[other]:
                w, c, m = results[other][command]
                line += f"; {other} {c:.2f} CPU s, {w:.2f} s ({w / wall:.1f} times the wall, {c / max(cpu, 1e-3):.1f} times the CPU)"
        print(line, flush=True)


n = max(1, round(70_000 * SCALE))
compare(f"{n} files of 275 B", n, 275)
n = max(1, round(5_000 * SCALE))
compare(f"{n} files of 1 MB", n, 1_000_000)
size = max(1 << 20, round(2_000_000_000 * SCALE))
compare(f"one file of {size / 1e6:.0f} MB", 1, size)
