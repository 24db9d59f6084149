"""Logins with the unmodified MLflow client: Basic, tokens, too few rights, and what lists show."""
import json
import subprocess
import time
import urllib.error
import urllib.request

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from conftest import RONDO, Server

SECRET = "correct horse battery"


class LockedServer(Server):
    """Asks for a login, as on an address that others reach."""

    def start(self):
        real, subprocess.Popen = subprocess.Popen, lambda args, **kw: real([*args, "--login"], **kw)
        try:
            super().start()
        finally:
            subprocess.Popen = real

    def rondo(self, *args, stdin=None, code=0):
        done = subprocess.run([str(RONDO), *args, "--data", str(self.data), "--json"], input=stdin, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    def send(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.loads(error.read() or b"null")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    server = LockedServer(tmp_path_factory.mktemp("locked"))
    server.rondo("user", "add", "boss", "--admin", stdin=SECRET + "\n")
    server.rondo("user", "add", "anna", stdin=SECRET + "\n")
    server.rondo("user", "add", "robot", "--service")
    yield server
    server.stop()


@pytest.fixture
def as_user(locked, monkeypatch):
    def login(user=None, password=None, token=None):
        for name in ("USERNAME", "PASSWORD", "TOKEN"):
            monkeypatch.delenv("MLFLOW_TRACKING_" + name, raising=False)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        if user:
            monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
            monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        if token:
            monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
        mlflow.set_tracking_uri(locked.url)
        return MlflowClient(locked.url)

    yield login
    mlflow.set_tracking_uri(None)


def test_the_first_link_is_printed_and_works_once(tmp_path):
    server = LockedServer(tmp_path)
    try:
        deadline = time.time() + 10
        while "/login?setup=" not in (text := (tmp_path / "server.log").read_text()):
            assert time.time() < deadline, text
            time.sleep(0.02)
        code = text.split("/login?setup=")[1].split()[0]
        assert len(code) == 32
        status, headers, body = server.send("POST", "/api/v1/setup", {"code": code, "name": "me", "password": SECRET})
        assert status == 200, body
        assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
        assert server.send("POST", "/api/v1/setup", {"code": code, "name": "eve", "password": SECRET})[0] == 401
    finally:
        server.stop()


def test_without_a_login(as_user):
    with pytest.raises(MlflowException) as error:
        as_user().search_experiments()
    assert error.value.get_http_status_code() == 401
    with pytest.raises(MlflowException) as error:
        as_user("anna", "not the password").search_experiments()
    assert error.value.get_http_status_code() == 401


def test_basic_and_token(locked, as_user):
    boss = as_user("boss", SECRET)
    experiment = boss.create_experiment("team/first")
    run = boss.create_run(experiment)
    boss.log_metric(run.info.run_id, "auc", 0.9)
    locked.rondo("role", "grant", "robot", "editor", "folder:team")
    token = locked.rondo("token", "create", "robot", "--name", "ci", "--days", "30")
    robot = as_user(token=token["secret"])
    robot.log_metric(run.info.run_id, "auc", 0.95, step=1)
    assert robot.get_run(run.info.run_id).data.metrics["auc"] == 0.95
    assert as_user("robot", token["secret"]).get_run(run.info.run_id)  # a token as password
    [row] = [t for t in locked.rondo("token", "list", "robot") if t["id"] == token["id"]]
    assert "secret" not in row
    locked.rondo("token", "revoke", token["id"])
    deadline = time.time() + 5
    while True:
        try:
            as_user(token=token["secret"]).get_run(run.info.run_id)
        except MlflowException as error:
            assert error.get_http_status_code() == 401
            break
        assert time.time() < deadline, "the token goes on to work"
        time.sleep(0.1)


def test_fluent_run_with_artifacts(locked, as_user, tmp_path):
    locked.rondo("role", "grant", "anna", "editor", "folder:anna")
    time.sleep(0.6)  # grants of another process show within half a second
    as_user("anna", SECRET)
    mlflow.set_experiment("anna/own")
    (tmp_path / "note.txt").write_text("hello")
    with mlflow.start_run() as run:
        mlflow.log_param("p", 1)
        mlflow.log_metric("m", 1.0)
        mlflow.log_artifact(str(tmp_path / "note.txt"))
    assert mlflow.artifacts.load_text(run.info.artifact_uri + "/note.txt") == "hello"
    with pytest.raises(MlflowException) as error:
        mlflow.set_experiment("somebody-else")
    assert error.value.get_http_status_code() == 403


def test_lists_show_what_may_be_read(as_user):
    boss = as_user("boss", SECRET)
    for i in range(6):
        boss.create_experiment(f"anna/e{i}")
        boss.create_experiment(f"hidden/e{i}")
    anna = as_user("anna", SECRET)
    seen, token = [], None
    while True:
        page = anna.search_experiments(max_results=4, page_token=token, order_by=["name"])
        seen += [e.name for e in page]
        token = page.token
        if not token:
            break
        assert len(page) == 4
    assert seen == [f"anna/e{i}" for i in range(6)] + ["anna/own"]
    hidden = as_user("boss", SECRET).get_experiment_by_name("hidden/e0").experiment_id
    anna = as_user("anna", SECRET)
    assert list(anna.search_runs([hidden])) == []
    for call in (lambda: anna.get_experiment(hidden), lambda: anna.create_run(hidden), lambda: anna.delete_experiment(hidden)):
        with pytest.raises(MlflowException) as error:
            call()
        assert error.value.get_http_status_code() == 403


def test_the_maker_of_a_model_manages_it(locked, as_user):
    locked.rondo("role", "grant", "anna", "editor", "model:anna-*")
    time.sleep(0.6)
    anna = as_user("anna", SECRET)
    anna.create_registered_model("anna-churn")
    with pytest.raises(MlflowException):
        anna.create_registered_model("churn")
    anna.delete_registered_model("anna-churn")
    actions = [(e["action"], e["actor"]) for e in locked.rondo("audit", "show", "--limit", "100")]
    assert ("grant.set", "rondo:access") in actions
    assert {"user.create", "token.create", "token.revoke"} <= {a for a, _ in actions}
    assert locked.rondo("audit", "verify")["intact"]
