"""What the measurements share: a project made from the churn example, a server, CPU seconds of a process, load by wrk."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
RONDO = pathlib.Path(os.environ.get("RONDO_BIN", ROOT / "build" / "rondo"))
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    """User + system time of a process and its reaped children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICK


def cpu_split(pid):
    """(user, system) seconds of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def rss_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


@contextlib.contextmanager
def project(yaml=None):
    """A fresh churn project in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
        folder = pathlib.Path(folder)
        shutil.copytree(ROOT / "examples" / "churn" / "data", folder / "data")
        text = yaml or (ROOT / "examples" / "churn" / "rondo.yaml").read_text()
        (folder / "rondo.yaml").write_text(text)
        yield folder


def rondo(folder, *args):
    done = subprocess.run([RONDO, *args], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"rondo {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_http(url, process, limit=20):
    deadline = time.time() + limit
    while time.time() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server of {url} exited with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"{url} did not answer within {limit} s")


@contextlib.contextmanager
def server(command, ready, cwd=None, env=None):
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_http(ready, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wrk(url, body, seconds=4, connections=4):
    """Posts `body` again and again; returns (requests, errors)."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = {json.dumps(body)}\n")
        script.flush()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", script.name, url], capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    bad = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", out))
    return requests, bad


def post(url, body):
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())
