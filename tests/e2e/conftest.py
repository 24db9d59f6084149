"""Drives the real program: a project folder, the command line, a server on a free port that the test stops by its pid."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RONDO = pathlib.Path(os.environ.get("RONDO_BIN", ROOT / "build" / "rondo"))
CHURN = ROOT / "examples" / "churn" / "data" / "telco_churn.csv"


def dataset_file(name):
    """A public data set that isn't shipped with the project: RONDO_TEST_DATA, or ../shared/data beside the checkout."""
    folder = pathlib.Path(os.environ.get("RONDO_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"{name} is not here: name its folder in RONDO_TEST_DATA")
    return folder / name


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def text(self):
        return self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)


class Project:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.servers = []

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, name):
        return (self.folder / name).read_text()

    def json(self, name):
        return json.loads(self.read(name))

    def run(self, *args, code=0, env=None, timeout=300, cwd=None):
        """Runs rondo; `code`: the exit code that must come, None for any."""
        done = subprocess.run([str(RONDO), *map(str, args)], cwd=cwd or self.folder, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "NO_COLOR": "1", **(env or {})})
        result = Result(done)
        if code is not None:
            assert result.code == code, f"rondo {' '.join(map(str, args))}: exit {result.code}, wanted {code}\n{result.text}"
        return result

    def up(self, *args, env=None, wait=15):
        server = Server(self, args, env, wait)
        self.servers.append(server)
        return server

    def close(self):
        for server in self.servers:
            server.stop()


class Server:
    def __init__(self, project, args, env, wait):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(project.folder / f"server-{self.port}.log", "w+b")
        self.process = subprocess.Popen([str(RONDO), "up", "--listen", f"127.0.0.1:{self.port}", *args], cwd=project.folder,
                                        stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1", **(env or {})})
        deadline = time.time() + wait
        while True:
            try:
                if self.get("/health", raw=True) == b"OK":
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            assert self.process.poll() is None, f"rondo up exited with {self.process.returncode}:\n{self.tail()}"
            assert time.time() < deadline, f"rondo up didn't answer:\n{self.tail()}"
            time.sleep(0.01)

    def tail(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()[-4000:]

    def get(self, path, raw=False):
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            body = answer.read()
        return body if raw else json.loads(body)

    def post(self, path, body, headers=None, method="POST"):
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), method=method,
                                         headers={"Content-Type": "application/json", **(headers or {})})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def status(self, path, body=None, method=None, headers=None):
        """(status, body text) without raising."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self, how=signal.SIGTERM, wait=15):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the server did not stop within {wait} s\n{self.tail()}")
        self.log.close()
        return self.process.returncode


def eventually(check, wait=20, what="the condition"):
    """Polls until check() is truthy; returns its value."""
    deadline = time.time() + wait
    while True:
        value = check()
        if value:
            return value
        assert time.time() < deadline, f"{what() if callable(what) else what} did not come true within {wait} s"
        time.sleep(0.05)


@pytest.fixture
def project(tmp_path):
    p = Project(tmp_path)
    yield p
    p.close()


CHURN_YAML = """project: churn
seed: 7
problem: {task: binary, target: churn, positive: "Yes", success: [auc >= 0.80]}
data: {customers: {from: data/telco_churn.csv}}
deploy: {endpoint: churn}
"""


@pytest.fixture
def churn(project):
    project.write("data/telco_churn.csv", CHURN.read_bytes())
    project.write("rondo.yaml", CHURN_YAML)
    return project
