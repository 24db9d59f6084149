"""Remotes against the real DVC and a real S3 server: each reads what the other pushed; faults, kills and hostile data lose nothing and never end well by mistake."""
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import ROOT, RONDO  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402

CACHE = pathlib.Path(os.environ.get("RONDO_CACHE", pathlib.Path.home() / ".cache" / "rondo"))
REAL = CACHE / "venvs" / "dvc" / "bin" / "dvc"
KEYS = {"access_key_id": "AKEXAMPLE", "secret_access_key": "SKEXAMPLEsecret"}


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    link = tmp_path_factory.mktemp("bin") / "dvc"
    link.symlink_to(RONDO)
    return link


def environment(folder):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DVC_"))}
    return {**keep, "HOME": str(folder), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / "site"), "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org", "AWS_EC2_METADATA_DISABLED": "true"}


class Repo:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        folder.mkdir(parents=True, exist_ok=True)
        self.env = environment(folder.parent)

    def init(self):
        subprocess.run(["git", "init", "-q", "."], cwd=self.folder, check=True)
        self("init", "-q")
        return self

    def run(self, *args, program=None, timeout=120):
        return subprocess.run([str(program or self.program), *args], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=timeout)

    def __call__(self, *args, program=None, code=0):
        done = self.run(*args, program=program)
        assert done.returncode == code, f"dvc {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def s3(self, port, prefix, name="s3"):
        self("remote", "add", "-f", "-d", name, f"s3://bkt/{prefix}")
        self("remote", "modify", name, "endpointurl", f"http://127.0.0.1:{port}")
        for key, value in KEYS.items():
            self("remote", "modify", "--local", name, key, value)
        return self

    def forget(self):
        """As in a fresh clone: no cache, no data."""
        shutil.rmtree(self.folder / ".dvc" / "cache", ignore_errors=True)
        for name in ("data", "one.bin"):
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def content(self):
        files = sorted(p for p in (self.folder / "data").rglob("*") if p.is_file())
        one = self.folder / "one.bin"
        return {str(p.relative_to(self.folder)): hashlib.md5(p.read_bytes()).hexdigest() for p in files + ([one] if one.exists() else [])}


def fill(repo, files=40, seed=1, large=0):
    rng = random.Random(seed)
    (repo.folder / "data" / "sub").mkdir(parents=True)
    for i in range(files):
        name = f"{'sub/' if i % 3 else ''}f{i} é{' x' if i % 5 == 0 else ''}.bin"
        (repo.folder / "data" / name).write_bytes(rng.randbytes(rng.choice([0, 1, 275, 4000, 70_000])) + str(i).encode())
    (repo.folder / "one.bin").write_bytes(rng.randbytes(large or 1000))
    repo("add", "-q", "data", "one.bin")
    return repo.content()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    found = subprocess.run([ROOT / "tools" / "s3server.sh"], capture_output=True, text=True)
    if found.returncode == 4:
        pytest.skip("no Go here to build the S3 server")
    assert found.returncode == 0, found.stderr
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bkt").mkdir()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([found.stdout.strip(), "--port", f"127.0.0.1:{port}", "--quiet", "posix", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "ROOT_ACCESS_KEY": KEYS["access_key_id"], "ROOT_SECRET_KEY": KEYS["secret_access_key"]})
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield type("Gateway", (), {"port": port, "folder": folder / "bkt"})
    process.terminate()
    process.wait(10)


def check_tree(folder):
    """Every object of a remote has the bytes of its name, and every folder's files are there."""
    objects = {p.parent.name + p.name: p for p in (folder / "files" / "md5").glob("??/*") if not p.name.endswith(".tmp")}
    for name, path in objects.items():
        assert hashlib.md5(path.read_bytes()).hexdigest() == name[:32], path
        if name.endswith(".dir"):
            for entry in json.loads(path.read_text()):
                assert entry["md5"] in objects, f"{name} is there without {entry['relpath']}"
    return objects


def test_each_reads_what_the_other_pushed(ours, gateway, tmp_path):
    real = REAL
    if not real.exists():
        pytest.skip("real DVC is not installed: tools/venvs.sh dvc")
    mine = Repo(tmp_path / "mine", ours).init().s3(gateway.port, "ours")
    want = fill(mine)
    assert "42 files pushed" in mine("push")
    assert mine("push") == "Everything is up to date.\n"
    check_tree(gateway.folder / "ours")
    assert mine("status", "-c", "--json", program=real) == "{}\n"
    mine.forget()
    mine("pull", "-q", program=real)
    assert mine.content() == want
    assert mine("status", "--json", program=real) == "{}\n"

    theirs = Repo(tmp_path / "theirs", real).init().s3(gateway.port, "theirs")
    want = fill(theirs, seed=2)
    theirs("push", "-q")
    check_tree(gateway.folder / "theirs")
    assert json.loads(theirs("status", "-c", "--json", program=ours)) == {}
    theirs.forget()
    out = theirs("pull", program=ours)
    assert "A       data/\n" in out and "42 files fetched and 41 files added" in out
    assert theirs.content() == want
    assert json.loads(theirs("status", "-c", "--json", program=ours)) == {}


def test_configuration_commands_write_the_same_bytes(ours, tmp_path):
    if not REAL.exists():
        pytest.skip("real DVC is not installed: tools/venvs.sh dvc")
    steps = [
        ["remote", "add", "loc", "../rem"], ["remote", "add", "-d", "Two", "s3://b/x"], ["remote", "add", "loc", "../rem"], ["remote", "modify", "two", "endpointurl", "http://x:1"],
        ["remote", "modify", "nope", "a", "b"], ["remote", "modify", "two", "nokey", "b"], ["remote", "list"], ["remote", "default"], ["remote", "default", "nope"],
        ["remote", "rename", "loc", "loc3"], ["remote", "remove", "nope"], ["config", "remote.two.url"], ["config", "core.nope", "1"], ["config", "cache.type", "hardlink,copy"],
        ["config", "-l"], ["cache", "dir", "../cc"], ["config", "core.autostage", "true"], ["remote", "modify", "--local", "two", "secret_access_key", "s#x, y"], ["config", "-u", "cache.type"],
        ["remote", "remove", "loc3"], ["remote", "default"],
    ]
    texts = {}
    for program in (ours, REAL):
        repo = Repo(tmp_path / "same", program).init()
        seen = []
        for step in steps:
            done = repo.run(*step)
            state = [(repo.folder / ".dvc" / f).read_text().strip() if (repo.folder / ".dvc" / f).exists() else "" for f in ("config", "config.local")]
            seen.append((step, done.returncode, done.stdout, *state))
        texts[program] = seen
        shutil.rmtree(repo.folder)
    for a, b in zip(texts[ours], texts[REAL]):
        assert a == b


FAULTS = {"500": 0.06, "503": 0.06, "429": 0.04, "reset": 0.06, "truncate": 0.06, "wrong": 0.03}


def test_faults_on_the_way_are_survived(ours, gateway, tmp_path):
    proxy = FaultyProxy(gateway.port, seed=5)
    repo = Repo(tmp_path / "r", ours).init().s3(proxy.port, "faults")
    want = fill(repo, files=60, large=70 << 20)
    proxy.faults = FAULTS
    repo("push")
    objects = check_tree(gateway.folder / "faults")
    assert len(objects) == 62
    repo.forget()
    repo("pull")
    assert repo.content() == want
    assert set(proxy.hits) == set(FAULTS)
    proxy.close()


def test_a_stall_is_cut_and_asked_again(ours, gateway, tmp_path):
    proxy = FaultyProxy(gateway.port)
    repo = Repo(tmp_path / "r", ours).init().s3(proxy.port, "stall")
    repo("remote", "modify", "s3", "read_timeout", "1")
    want = fill(repo, files=3)
    repo("push")
    repo.forget()
    left = [1]
    proxy.only = lambda method, path: method == "GET" and left and left.pop()
    proxy.faults = {"stall": 1}
    repo("pull")
    assert proxy.hits == ["stall"] and repo.content() == want
    proxy.close()


def test_wrong_bytes_and_refusals_end_with_an_error_and_without_secrets(ours, gateway, tmp_path):
    proxy = FaultyProxy(gateway.port)
    repo = Repo(tmp_path / "r", ours).init().s3(proxy.port, "wrong")
    want = fill(repo, files=10)
    repo("push")
    repo.forget()
    bad = sorted(v for k, v in want.items() if k != "one.bin")[0]
    proxy.only = lambda method, path: bad[2:] in path
    proxy.faults = {"wrong": 1}
    done = repo.run("pull")
    assert done.returncode == 1 and bad in done.stderr and "damaged" in done.stderr
    got = repo.content()
    assert bad not in got.values() and len(got) == len(want) - sum(v == bad for v in want.values())  # the rest arrived
    assert all(want[k] == v for k, v in got.items())
    proxy.only = lambda method, path: True
    proxy.faults = {"expired": 1}
    repo.forget()
    begin = time.time()
    done = repo.run("pull")
    assert done.returncode == 1 and "expired" in done.stderr and time.time() - begin < 5
    for secret in KEYS.values():
        assert secret not in done.stdout + done.stderr
    proxy.faults = {}
    repo("pull")
    assert repo.content() == want
    proxy.close()


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_killed_at_any_time_then_run_again(ours, gateway, tmp_path, kind):
    repo = Repo(tmp_path / "r", ours).init()
    if kind == "s3":
        repo.s3(gateway.port, "killed")
        remote = gateway.folder / "killed"
    else:
        repo("remote", "add", "-d", "loc", "../remote")
        remote = tmp_path / "remote"
    want = fill(repo, files=400, seed=3, large=48 << 20)
    rng = random.Random(4)

    def killed(*args):
        begin = time.time()
        repo_process = subprocess.Popen([str(ours), *args], cwd=repo.folder, env=repo.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            repo_process.wait(rng.uniform(0.01, 0.25))
        except subprocess.TimeoutExpired:
            repo_process.send_signal(signal.SIGKILL)
            repo_process.wait(10)
        return time.time() - begin

    for _ in range(8):
        killed("push")
        if (remote / "files").exists():
            check_tree(remote)  # never a folder without its files, never an object with other bytes
    repo("push")
    assert len(check_tree(remote)) == 402
    for _ in range(8):
        repo.forget() if rng.random() < 0.3 else shutil.rmtree(repo.folder / "data", ignore_errors=True)
        killed("pull", "-f")
    repo("pull", "-f")
    assert repo.content() == want
    assert json.loads(repo("status", "--json")) == {}


def test_what_another_program_left_incomplete_is_completed(ours, tmp_path):
    repo = Repo(tmp_path / "r", ours).init()
    repo("remote", "add", "-d", "loc", "../remote")
    fill(repo)
    repo("push")
    objects = check_tree(tmp_path / "remote")
    # Another clone has not our index, and the folder's listing is there without some of its files.
    for name in [n for n in sorted(objects) if not n.endswith(".dir")][:12]:
        objects[name].unlink()
    clone = Repo(tmp_path / "clone", ours)
    shutil.copytree(repo.folder, clone.folder, dirs_exist_ok=True)
    shutil.rmtree(clone.folder / ".dvc" / "tmp" / "rondo", ignore_errors=True)
    assert "12 files pushed" in clone("push")
    check_tree(tmp_path / "remote")


def test_an_http_remote_is_read(ours, tmp_path):
    repo = Repo(tmp_path / "r", ours).init()
    repo("remote", "add", "loc", "../remote")
    want = fill(repo)
    repo("push", "-r", "loc")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "remote"))

        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.headers.get("Authorization") != "Basic dTpwdw==":
                self.send_response(401)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            super().do_GET()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    repo("remote", "add", "-d", "web", f"http://127.0.0.1:{server.server_address[1]}")
    repo("remote", "modify", "web", "auth", "basic")
    repo("remote", "modify", "web", "user", "u")
    repo("remote", "modify", "--local", "web", "password", "nope")
    repo.forget()
    done = repo.run("pull")
    assert done.returncode == 1 and "401" in done.stderr and "nope" not in done.stderr
    repo("remote", "modify", "--local", "web", "password", "pw")
    repo("pull")
    assert repo.content() == want
    assert repo.run("push", "-r", "web").returncode == 1
    server.shutdown()


def test_imports_and_copies_have_dvcs_bytes(ours, tmp_path):
    if not REAL.exists():
        pytest.skip("real DVC is not installed: tools/venvs.sh dvc")
    source = Repo(tmp_path / "source", ours).init()
    want = fill(source, files=6)
    (source.folder / "plain.txt").write_text("in git\n")
    subprocess.run("git add -A && git commit -qm one", shell=True, cwd=source.folder, env=source.env, check=True)
    files = {}
    for program, name in ((ours, "a"), (REAL, "b")):
        repo = Repo(tmp_path / name, program).init()
        repo("import", "../source", "data")
        repo("import", "../source", "data/sub", "-o", "part")
        repo("import", "../source", "plain.txt")
        repo("import-url", "../source/one.bin", "url.bin")
        repo("get", "../source", "one.bin", "-o", "got.bin")
        files[name] = {p.name: p.read_bytes() for p in sorted(repo.folder.glob("?*.dvc")) + [repo.folder / ".gitignore"]}
        assert {k: v for k, v in repo.content().items()} == {k: v for k, v in want.items() if k.startswith("data/")}
        assert (repo.folder / "got.bin").read_bytes() == (source.folder / "one.bin").read_bytes()
        listed = [json.loads(repo("list", *args, "--json", program=p)) for args in ((str(source.folder),), (str(source.folder), "data"), ("-R", str(source.folder))) for p in (ours, REAL)]
        for entry in sum(listed, []):
            entry["size"] = None if entry["isout"] else entry["size"]  # DVC shows what lies in the workspace (4096 for a folder), ours what is tracked
        assert listed[0] == listed[1] and listed[2] == listed[3] and listed[4] == listed[5]
        # A new state upstream is taken up by update, by whichever program.
    assert files["a"] == files["b"]
    (source.folder / "plain.txt").write_text("newer\n")
    subprocess.run("git commit -qam two", shell=True, cwd=source.folder, env=source.env, check=True)
    repo("update", "plain.txt.dvc", program=ours)
    assert (repo.folder / "plain.txt").read_text() == "newer\n"
    assert repo("update", "plain.txt.dvc", program=ours) == "'plain.txt.dvc' didn't change, skipping\n"
    assert repo("status", "--json", "plain.txt.dvc", program=REAL) == "{}\n"


def test_hostile_listings_write_nowhere_else(ours, gateway, tmp_path):
    outside = tmp_path / "outside"
    for n, relpath in enumerate(["../outside", "/" + str(outside), ".git/hooks/x", ".dvc/config.local", "a/../../outside"]):
        repo = Repo(tmp_path / f"r{n}", ours).init()
        repo("remote", "add", "-d", "loc", "../remote")
        data = b"evil"
        listing = json.dumps([{"md5": hashlib.md5(data).hexdigest(), "relpath": relpath}]).encode()
        for name, content in ((hashlib.md5(data).hexdigest(), data), (hashlib.md5(listing).hexdigest() + ".dir", listing)):
            path = tmp_path / "remote" / "files" / "md5" / name[:2] / name[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (repo.folder / "data.dvc").write_text(f"outs:\n- md5: {hashlib.md5(listing).hexdigest()}.dir\n  size: 4\n  nfiles: 1\n  hash: md5\n  path: data\n")
        done = repo.run("pull")
        assert done.returncode != 0, relpath
        assert not outside.exists() and not (repo.folder / ".git/hooks/x").exists() and not (repo.folder / ".dvc/config.local").exists()
    repo = Repo(tmp_path / "odd", ours).init()
    repo("remote", "add", "-d", "loc", "../remote")
    (repo.folder / "x.dvc").write_text("outs:\n- md5: ../../../../etc/passwd\n  hash: md5\n  path: x\n")
    assert repo.run("pull").returncode != 0 and not (repo.folder / "x").exists()
