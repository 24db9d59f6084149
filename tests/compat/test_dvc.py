"""The program called `dvc` against the real DVC: random repositories and command sequences, compared byte for byte; each reads what the other wrote; kills and damage lose nothing."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import dvc_scenarios  # noqa: E402
from conftest import RONDO  # noqa: E402

CACHE = pathlib.Path(os.environ.get("RONDO_CACHE", pathlib.Path.home() / ".cache" / "rondo"))
REAL = CACHE / "venvs" / "dvc" / "bin" / "dvc"
RECORDED = json.loads((pathlib.Path(__file__).parent / "dvc_recorded.json").read_text())
GROUPS = 20


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    link = tmp_path_factory.mktemp("bin") / "dvc"
    link.symlink_to(RONDO)
    return link


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_sequences_match_what_dvc_did(ours, group):
    """Recorded with DVC 3.67.1: `dvc_scenarios.py record`. `dvc_scenarios.py show SEED PROGRAM` explains a difference."""
    for seed in [s for s in RECORDED if int(s) % GROUPS == group]:
        steps = []
        dvc_scenarios.walk(int(seed), lambda env: dvc_scenarios.Program(ours, env),
                           lambda step, args, value, err: steps.append(([value["code"], dvc_scenarios.digest(value["out"]), dvc_scenarios.digest(value["state"])], args, err)))
        assert len(steps) == len(RECORDED[seed]), f"seed {seed}"
        for i, ((got, args, err), wanted) in enumerate(zip(steps, RECORDED[seed])):
            assert got == wanted, f"seed {seed}, step {i + 1}: dvc {' '.join(args)}\n{err}"


class Repo:
    def __init__(self, folder, program):
        self.folder, self.program = folder / "repo", program
        self.folder.mkdir()
        self.env = dvc_scenarios.environment(folder)
        subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=self.folder, env=self.env, check=True)
        self("init", "-q")

    def run(self, *args, program=None):
        return subprocess.run([str(program or self.program), *args], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120)

    def __call__(self, *args, program=None, code=0):
        done = self.run(*args, program=program)
        assert done.returncode == code, f"dvc {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fill(self, name, files, size, seed=1):
        r = random.Random(seed)
        for i in range(files):
            path = self.folder / name / str(i % 7) / f"{i}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(r.randbytes(size))

    def content(self, name):
        return {str(p.relative_to(self.folder)): hashlib.md5(p.read_bytes()).hexdigest() for p in sorted((self.folder / name).rglob("*")) if p.is_file()}

    def objects(self):
        return [p for p in (self.folder / ".dvc" / "cache" / "files").rglob("*") if p.is_file()]


@pytest.fixture
def repo(tmp_path, ours):
    return Repo(pathlib.Path(os.path.realpath(tmp_path)), ours)


@pytest.mark.skipif(not REAL.exists(), reason="the real DVC isn't installed: ./dev setup --tests")
def test_each_reads_what_the_other_wrote(repo):
    repo.fill("data", 40, 500)
    repo("add", "data")
    assert json.loads(repo("status", "--json", program=REAL)) == {}
    assert json.loads(repo("data", "status", "--json", program=REAL)).get("uncommitted") is None
    before = (repo.folder / "data.dvc").read_bytes()
    repo("commit", "-f", program=REAL)
    assert (repo.folder / "data.dvc").read_bytes() == before
    wanted = repo.content("data")
    shutil.rmtree(repo.folder / "data")
    repo("checkout", program=REAL)
    assert repo.content("data") == wanted
    repo.fill("more", 30, 200, seed=2)
    repo("add", "more", program=REAL)
    assert json.loads(repo("status", "--json")) == {}
    wanted = repo.content("more")
    shutil.rmtree(repo.folder / "more")
    repo("checkout")
    assert repo.content("more") == wanted


@pytest.mark.parametrize("command", ["add", "checkout", "gc"])
def test_kill_9_anywhere_loses_nothing(repo, command):
    """Killed at random moments; afterwards the command simply works, and every byte is there."""
    repo.fill("data", 1500, 400)
    wanted = repo.content("data")
    if command != "add":
        repo("add", "data")
    args = {"add": ["add", "data"], "checkout": ["checkout", "-f"], "gc": ["gc", "-w", "-f"]}[command]
    r = random.Random(3)
    for _ in range(12):
        if command == "checkout":
            shutil.rmtree(repo.folder / "data", ignore_errors=True)
        if command == "gc":
            repo.fill("junk", 300, 50, seed=r.randrange(1 << 30))
            repo("add", "junk")
            repo("remove", "junk.dvc")
        process = subprocess.Popen([str(repo.program), *args], cwd=repo.folder, env=repo.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(r.random() * 0.12)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (repo.folder / "data.dvc").exists():
            for object_file in repo.objects():  # whatever has an object's name has its bytes
                if not object_file.name.startswith("."):
                    name = (object_file.parent.name + object_file.name).removesuffix(".dir")
                    assert hashlib.md5(object_file.read_bytes()).hexdigest() == name
    repo(*args)
    assert repo.content("data") == wanted
    assert json.loads(repo("status", "--json")) == {}


def test_damage_is_never_checked_out(repo):
    repo.fill("data", 20, 300)
    repo("add", "data")
    listing = next(o for o in repo.objects() if o.name.endswith(".dir"))
    victim = next(o for o in repo.objects() if not o.name.endswith(".dir"))
    for broken, change in [(victim, lambda b: bytes([b[0] ^ 1]) + b[1:]), (victim, lambda b: b[:-1]), (victim, lambda b: b""), (listing, lambda b: b[:-1] + b"}"), (listing, lambda b: b[:40]), (listing, lambda b: b"")]:
        good = broken.read_bytes()
        broken.chmod(0o644)
        broken.write_bytes(change(good))
        broken.chmod(0o444)
        shutil.rmtree(repo.folder / "data", ignore_errors=True)
        assert repo.run("checkout", "-f").returncode not in (0, 139, 134)
        for path in (repo.folder / "data").rglob("*") if (repo.folder / "data").exists() else []:
            if path.is_file():
                assert (repo.folder / ".dvc/cache/files/md5" / (m := hashlib.md5(path.read_bytes()).hexdigest())[:2] / m[2:]).exists()
        broken.chmod(0o644)
        broken.write_bytes(good)
        broken.chmod(0o444)
    repo("checkout", "-f")
    assert json.loads(repo("status", "--json")) == {}


def test_empty_and_cut_metadata_are_errors_and_gc_refuses(repo):
    repo.fill("data", 5, 100)
    repo("add", "data")
    count = len(repo.objects())
    whole = (repo.folder / "data.dvc").read_bytes()
    for cut in (0, 1, 6, 20, 40):
        (repo.folder / "data.dvc").write_bytes(whole[:cut])
        for command in (["status"], ["checkout"], ["gc", "-w", "-f"], ["data", "status", "--json"]):
            assert repo.run(*command).returncode not in (0, 134, 139), (cut, command)
        assert len(repo.objects()) == count
    (repo.folder / "data.dvc").write_bytes(whole)
    repo("gc", "-w", "-f")
    assert len(repo.objects()) == count


def test_hostile_metadata_write_nothing_outside(repo, tmp_path):
    repo.fill("data", 2, 50)
    repo("add", "data")
    md5 = next(o for o in repo.objects() if not o.name.endswith(".dir"))
    md5 = md5.parent.name + md5.name
    for path in ("../evil", ".git/hooks/post-checkout", ".dvc/config.local", "sub/../../evil", "link/evil"):
        (repo.folder / "evil.dvc").write_text(f"outs:\n- md5: {md5}\n  size: 50\n  hash: md5\n  path: {path}\n")
        if not (repo.folder / "link").is_symlink():
            (repo.folder / "link").symlink_to(tmp_path)
        assert repo.run("checkout").returncode != 0
    (repo.folder / "evil.dvc").unlink()
    for path in ("../evil", ".git/hooks/x", "a/../../../evil", "/evil"):
        listing = json.dumps([{"md5": md5, "relpath": path}]).encode()
        name = hashlib.md5(listing).hexdigest()
        target = repo.folder / ".dvc/cache/files/md5" / name[:2] / (name[2:] + ".dir")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(listing)
        (repo.folder / "bad.dvc").write_text(f"outs:\n- md5: {name}.dir\n  size: 50\n  nfiles: 1\n  hash: md5\n  path: bad\n")
        assert repo.run("checkout").returncode != 0
    assert not list(tmp_path.rglob("evil")) and not (repo.folder / ".git/hooks/post-checkout").exists() and not (repo.folder / ".dvc/config.local").exists()


def test_names_pipes_links_and_edits_that_defeat_dvc(repo):
    (repo.folder / "data").mkdir()
    odd = os.fsencode(str(repo.folder / "data")) + b"/caf\xe9"
    with open(odd, "wb") as f:
        f.write(b"latin")
    repo("add", "data")
    os.unlink(odd)
    repo("checkout")
    assert open(odd, "rb").read() == b"latin"
    os.mkfifo(repo.folder / "data" / "pipe")
    assert "pipe" in repo.run("add", "data").stderr
    os.unlink(repo.folder / "data" / "pipe")
    (repo.folder / "data" / "loop").symlink_to("loop")
    assert "loop" in repo.run("add", "data").stderr
    (repo.folder / "data" / "loop").unlink()
    # Same size, mtime set back: only the ctime tells.
    (repo.folder / "file").write_bytes(b"one")
    repo("add", "file")
    time.sleep(0.05)
    repo("status")
    st = os.stat(repo.folder / "file")
    (repo.folder / "file").write_bytes(b"two")
    os.utime(repo.folder / "file", ns=(st.st_atime_ns, st.st_mtime_ns))
    assert json.loads(repo("status", "--json")) == {"file.dvc": [{"changed outs": {"file": "modified"}}]}


def test_gc_lets_objects_wait_in_quarantine(repo):
    rondo = str(RONDO)
    repo.fill("data", 3, 80)
    repo("add", "data")
    count = len(repo.objects())
    repo("remove", "data.dvc")
    def gc():
        done = subprocess.run([rondo, "data", "gc", "--json"], cwd=repo.folder, env=repo.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert gc()["kept_young"] == count  # fourteen days
    old = time.time() - 15 * 86400
    for object_file in repo.objects():
        os.utime(object_file, (old, old))
    assert gc()["quarantined"] == count and not repo.objects()
    waiting = [p for p in (repo.folder / ".dvc/cache/rondo-quarantine").rglob("*") if p.is_file()]
    assert len(waiting) == count and gc()["deleted"] == 0
    for object_file in waiting:
        os.utime(object_file, (old, old))
    assert gc()["deleted"] == count
