"""Real clients against the real program: a server on a free loopback port with a data folder of its own, stopped by its pid."""
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


class Server:
    def __init__(self, folder, data=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.log = open(self.folder / "server.log", "ab")
        self.process = None
        self.start()

    def start(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([str(RONDO), "up", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data)], cwd=self.folder, stdout=self.log, stderr=self.log)
        for _ in range(200):
            try:
                with urllib.request.urlopen(self.url + "/health", timeout=2) as answer:
                    assert answer.read() == b"OK"
                    return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise AssertionError("the server did not come up:\n" + (self.folder / "server.log").read_text())

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("rondo"))
    yield running
    running.stop()
