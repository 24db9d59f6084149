"""kill -9 at named points and at random: the next run goes on, and what comes out is byte for byte what an undisturbed run makes.

What is counted: a stage's result is published once per content (records with an entry in the run logs), no process of a run outlives the next run, no
run stays "running", and the second engine never works beside the first.
"""
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import RONDO, Project

STAGES = """project: crash
stages:
  a:
    cmd: cat in.txt > a.txt && echo a >> a.txt
    deps: [in.txt]
    outs: [a.txt]
  b:
    cmd: mkdir -p b && cat a.txt > b/1 && echo b > b/2
    deps: [a.txt]
    outs: [b]
  c:
    foreach: [1, 2, 3, 4]
    do:
      cmd: sh -c "cat a.txt b/1; echo ${item}" > c${item}.txt
      deps: [a.txt, b]
      outs: ["c${item}.txt"]
  d:
    cmd: cat c1.txt c2.txt c3.txt c4.txt > d.txt
    deps: [c1.txt, c2.txt, c3.txt, c4.txt]
    outs: [d.txt]
"""
OUTS = ["a.txt", "b/1", "b/2", "c1.txt", "c2.txt", "c3.txt", "c4.txt", "d.txt", "rondo.lock"]
POINTS = ["after-mark", "after-start", "before-intent", "after-intent", "after-spawn", "after-exit", "before-store", "mid-store", "after-store", "before-result", "after-result",
          "before-lock", "after-lock", "before-end", "after-end", "after-recovery"]


def fresh(folder, text="hello\n"):
    folder.mkdir(parents=True)
    project = Project(folder)
    project.write("rondo.yaml", STAGES)
    project.write("in.txt", text)
    return project


def digest(project):
    h = hashlib.sha256()
    for name in OUTS:
        h.update(name.encode() + b"\0" + (project.folder / name).read_bytes() + b"\0")
    return h.hexdigest()


def published(project):
    """stage -> the entries of its published results, in all run logs."""
    out = {}
    for log in sorted((project.folder / ".rondo" / "runs").glob("*/journal")):
        data = log.read_bytes()
        at = len(b"RONDORUN1\n")
        while at + 12 <= len(data):
            (length,) = struct.unpack_from("<I", data, at)
            payload = data[at + 12:at + 12 + length]
            if len(payload) < length:
                break
            record = json.loads(payload)
            if record.get("entry"):
                out.setdefault(record["stage"], []).append((record["status"], json.dumps(record["entry"], sort_keys=True)))
            at += 12 + length
    return out


def mine(project):
    """Processes whose working folder is the project's."""
    out = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd") == str(project.folder) and (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    out.append(int(entry.name))
            except OSError:
                pass
    return out


def settle(project, want, stages=7):
    """Runs to the end and checks what must hold."""
    done = project.run("run", timeout=60)
    assert "failed" not in done.out
    assert digest(project) == want
    again = project.run("run")
    assert "nothing to do" in again.out, again.text
    for stage, entries in published(project).items():
        executed = [entry for status, entry in entries if status == "succeeded"]
        assert len(executed) == len(set(executed)), f"{stage} was published twice"
    assert mine(project) == []
    runs = project.run("runs", "--json").json
    assert all(r["status"] != "running" for r in runs)
    assert all(s["status"] not in ("running", "waiting") for r in runs for s in r["stages"])
    assert not (project.folder / ".rondo" / "engine.open").exists()


@pytest.fixture(scope="module")
def want(tmp_path_factory):
    project = fresh(tmp_path_factory.mktemp("oracle") / "p")
    project.run("run")
    return digest(project)


def crash_at(project, point, nth):
    done = subprocess.run([str(RONDO), "run", "--jobs", "2"], cwd=project.folder, capture_output=True, timeout=60, env={**os.environ, "RONDO_CRASH_AT": f"{point}:{nth}"})
    return done.returncode == -signal.SIGKILL


def crash_randomly(project, rng):
    process = subprocess.Popen([str(RONDO), "run", "--jobs", "2"], cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(rng.uniform(0.01, 0.07))
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def test_named_points(tmp_path, want):
    """Every point, on its first and a later passing, on a project of its own; then once more while the first recovery is under way."""
    cases = [(point, nth) for point in POINTS for nth in (1, 2, 5)]

    def one(case):
        point, nth = case
        project = fresh(tmp_path / f"{point}-{nth}")
        kills = 0
        if point == "after-recovery":
            kills += crash_at(project, "after-result", 2)
            nth = 1
        kills += crash_at(project, point, nth)
        kills += crash_at(project, "after-intent", 1)
        settle(project, want)
        return kills

    with ThreadPoolExecutor(2) as pool:
        kills = sum(pool.map(one, cases))
    assert kills >= 60


def test_random_kills(tmp_path, want):
    """Killed again and again at random moments until it gets through."""
    seed = int(os.environ.get("RONDO_TEST_SEED", "20261125"))

    def one(k):
        rng = random.Random(seed + k)
        project = fresh(tmp_path / f"r{k}")
        kills = 0
        for _ in range(60):
            if kills == 5:
                break
            killed = crash_randomly(project, rng) if rng.random() < 0.5 else crash_at(project, rng.choice(POINTS), rng.randint(1, 3))
            kills += killed
            if not killed:  # it got through: other content makes new work
                project.write("in.txt", f"{rng.random()}\n")
        project.write("in.txt", "hello\n")
        settle(project, want)
        return kills

    with ThreadPoolExecutor(2) as pool:
        kills = sum(pool.map(one, range(40)))
    print("kills:", kills)
    assert kills >= 180


def test_a_killed_stage_is_a_failed_stage(tmp_path):
    project = fresh(tmp_path / "p")
    project.write("rondo.yaml", "project: k\nstages:\n  a: {cmd: 'kill -9 $$', outs: [o]}\n  b: {cmd: 'kill -9 0; sleep 5', outs: [p]}\n")
    done = project.run("run", "--keep-going", code=1)
    assert "signal 9" in done.text
    assert {s["status"] for s in project.run("runs", "--json").json[0]["stages"]} == {"failed"}


def test_what_a_stage_leaves_running_is_ended(tmp_path):
    project = fresh(tmp_path / "p")
    project.write("left.py", """
import os, sys, time
for daemon in (False, True):
    if os.fork() == 0:
        if daemon:
            os.setsid()
            if os.fork() != 0: os._exit(0)
        open(f"pid{int(daemon)}", "w").write(str(os.getpid()))
        time.sleep(300)
        os._exit(0)
while not all(os.path.exists(f"pid{i}") and open(f"pid{i}").read() for i in (0, 1)): time.sleep(0.01)
open("o", "w").write("x")
""")
    project.write("rondo.yaml", "project: k\nstages:\n  a: {cmd: python3 left.py, outs: [o]}\n")
    project.run("run", timeout=30)
    assert mine(project) == []


def test_sigterm_is_ignored_and_logs_flood(tmp_path):
    project = fresh(tmp_path / "p")
    project.write("rondo.yaml", """project: k
stages:
  stubborn: {cmd: "trap '' TERM; while :; do sleep 0.05; done", outs: [o], timeout: 200ms}
  flood: {cmd: "head -c 60000000 /dev/zero | tr '\\\\0' 'x'; echo end; touch p", outs: [p]}
""")
    begin = time.time()
    done = project.run("run", "--keep-going", code=1, timeout=30)
    assert "longer than 200 ms" in done.text and time.time() - begin < 15
    log = next((project.folder / ".rondo" / "runs").glob("*/flood.log"))
    assert log.stat().st_size <= 17 << 20
    assert (project.folder / "p").exists()
    assert mine(project) == []


def test_two_engines_exclude_each_other(tmp_path):
    project = fresh(tmp_path / "p")
    project.write("rondo.yaml", "project: k\nstages:\n  a: {cmd: 'touch started; while [ ! -e go ]; do sleep 0.01; done; echo x >> count; cp count o', outs: [o]}\n")
    first = subprocess.Popen([str(RONDO), "run"], cwd=project.folder, stdout=subprocess.DEVNULL)
    while not (project.folder / "started").exists():
        time.sleep(0.01)
    second = project.run("run", code=None)
    assert second.code != 0 and "another `rondo run`" in second.text
    # Stopped for as long as you like: the lock is still its own.
    os.kill(first.pid, signal.SIGSTOP)
    assert "another `rondo run`" in project.run("run", code=None).text
    os.kill(first.pid, signal.SIGCONT)
    project.write("go", "")
    assert first.wait(20) == 0
    assert project.read("count") == "x\n"


def test_corrupt_state(tmp_path, want):
    """Damage to each file of the data folder: an error that says what to do, or the stages run again; never wrong bytes."""
    rng = random.Random(5)
    project = fresh(tmp_path / "p")
    assert crash_at(project, "after-result", 4)
    journal = next((project.folder / ".rondo" / "runs").glob("*/journal"))
    journal.write_bytes(journal.read_bytes()[:-7])
    settle(project, want)
    for name in ("stat", "quiet"):
        for file in (project.folder / ".rondo" / "cache").glob(name + "*"):
            data = bytearray(file.read_bytes())
            for _ in range(20):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(data)
    for file in (project.folder / ".rondo" / "cache" / "stages").glob("*/*"):
        os.chmod(file, 0o644)
        file.write_bytes(file.read_bytes()[: rng.randrange(40)])
    project.write("in.txt", "other\n")
    project.run("run")
    project.write("in.txt", "hello\n")
    project.run("run")
    assert digest(project) == want
    # Every object flipped: nothing of it may come back.
    for file in (project.folder / ".rondo" / "cache" / "files" / "md5").glob("*/*"):
        os.chmod(file, 0o644)
        data = bytearray(file.read_bytes())
        if data:
            data[0] ^= 1
        file.write_bytes(data)
    for name in OUTS[:-1]:
        (project.folder / name).unlink(missing_ok=True)
    project.run("run")
    assert digest(project) == want
    (project.folder / "rondo.lock").write_text("schema: '2.0'\nstages:\n  a:\n    cmd: [")
    done = project.run("run", code=2)
    assert "rondo.lock" in done.text


def test_the_clock_jumps(tmp_path, want):
    """Times are taken from the monotonic clock, verdicts from content: outputs of the far future and past change nothing."""
    project = fresh(tmp_path / "p")
    project.run("run")
    for offset in (-3600, 3600, 400 * 86400, -20 * 365 * 86400):
        for name in OUTS[:-1] + ["in.txt"]:
            os.utime(project.folder / name, (time.time() + offset,) * 2)
        assert "nothing to do" in project.run("run").out
    assert digest(project) == want


def test_full_disk(tmp_path, want):
    """A stage's output does not fit: the run ends with the reason, and goes on when there is space."""
    size = 6 << 20
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], capture_output=True).returncode:
        pytest.skip("tmpfs can't be mounted here")
    try:
        project = fresh(mount / "p")
        project.run("run", "a")
        with open(mount / "ballast", "wb") as f:
            try:
                while True:
                    f.write(b"x" * 65536)
            except OSError:
                pass
        done = project.run("run", code=None)
        assert done.code in (1, 3), done.text
        (mount / "ballast").unlink()
        settle(project, want)
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)
