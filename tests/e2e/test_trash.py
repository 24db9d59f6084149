"""The trash through the program: retention, purging with files, names, copies, the past of aliases, users by the command line."""
import json

import pytest

from conftest import eventually


@pytest.fixture(autouse=True)
def here(project, monkeypatch):
    monkeypatch.setenv("RONDO_DATA", str(project.folder / ".rondo"))


def call(server, path, body, status=200, method="POST"):
    code, text = server.status(path, body, method=method)
    assert code == status, text
    return json.loads(text)


def mlflow(server, path, body):
    return call(server, "/api/2.0/mlflow" + path, body)


def put(server, path, text):
    code, answer = server.status("/api/2.0/mlflow-artifacts/artifacts/" + path, text.encode(), method="PUT")
    assert code == 200, answer


def make(server, project, name):
    experiment = mlflow(server, "/experiments/create", {"name": name})["experiment_id"]
    run = mlflow(server, "/runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]["run_id"]
    mlflow(server, "/runs/log-metric", {"run_id": run, "key": "m", "value": 1, "timestamp": 1})
    put(server, f"{experiment}/{run}/artifacts/sub/a.txt", "hello")
    return experiment, run, project.folder / ".rondo" / "artifacts" / experiment / run


def test_deleted_restored_purged(project):
    server = project.up()
    experiment, run, files = make(server, project, "team/x")
    assert (files / "artifacts/sub/a.txt").read_text() == "hello"
    mlflow(server, "/experiments/delete", {"experiment_id": experiment})
    [item] = project.run("trash", "list", "--json").json
    assert (item["kind"], item["id"], item["runs"]) == ("experiment", experiment, 1)
    assert "already exists" in server.status("/api/2.0/mlflow/experiments/create", {"name": "team/x"})[1]
    project.run("trash", "restore", f"experiment/{experiment}")
    assert server.get(f"/api/2.0/mlflow/runs/get?run_id={run}")["run"]["info"]["lifecycle_stage"] == "active"
    project.run("trash", "purge", f"experiment/{experiment}", code=3)  # it is not in the trash
    mlflow(server, "/experiments/delete", {"experiment_id": experiment})
    project.run("trash", "purge", "--older-than", "1")
    assert files.exists(), "not long enough in the trash"
    report = project.run("trash", "purge", f"experiment/{experiment}", "--json").json
    assert (report["experiments"], report["runs"], report["folders"]) == (1, 1, 1)
    assert not files.exists()
    assert server.status(f"/api/2.0/mlflow/runs/get?run_id={run}")[0] == 404
    again = mlflow(server, "/experiments/create", {"name": "team/x"})["experiment_id"]
    assert int(again) > int(experiment)
    assert any(e["action"] == "trash.purge" for e in project.run("audit", "show", "--json").json)
    project.run("trash", "purge", code=2)
    project.run("trash", "purge", "planet/1", code=2)
    project.run("trash", "restore", "nonsense", code=2)


def test_purge_over_the_api_and_files_of_versions(project):
    server = project.up()
    experiment, run, files = make(server, project, "x")
    mlflow(server, "/registered-models/create", {"name": "m"})
    mlflow(server, "/model-versions/create", {"name": "m", "source": f"mlflow-artifacts:/{experiment}/{run}/artifacts/sub", "run_id": run})
    mlflow(server, "/runs/delete", {"run_id": run})
    assert [i["id"] for i in server.get("/api/v1/trash")] == [run]
    assert call(server, f"/api/v1/trash/runs/{run}", None, method="DELETE")["runs"] == 1
    assert files.exists(), "a registered version still needs them"
    call(server, "/api/2.0/mlflow/model-versions/delete", {"name": "m", "version": "1"}, method="DELETE")
    assert call(server, "/api/v1/trash/purge", {"older_than_days": 0})["folders"] == 1
    assert not files.exists()
    assert server.get("/api/v1/trash") == []


def test_tree_move_and_copy(project):
    server = project.up()
    a, run, files = make(server, project, "team/a")
    b = mlflow(server, "/experiments/create", {"name": "team/deep/b"})["experiment_id"]
    tree = server.get("/api/v1/experiments/tree")["children"]
    team = next(n for n in tree if n["kind"] == "folder")
    assert (team["path"], team["experiments"]) == ("team", 2)
    assert [(n["kind"], n["path"]) for n in team["children"]] == [("folder", "team/deep"), ("experiment", "team/a")]
    copy = call(server, f"/api/v1/runs/{run}/copy", {"experiment_id": b}, status=201)
    assert copy["files"] == 1
    assert (project.folder / ".rondo" / "artifacts" / b / copy["run_id"] / "artifacts/sub/a.txt").read_text() == "hello"
    assert call(server, "/api/v1/runs/move", {"run_ids": [run], "experiment_id": b}) == {"moved": 1}
    runs = mlflow(server, "/runs/search", {"experiment_ids": [b]})["runs"]
    assert {r["info"]["run_id"] for r in runs} == {run, copy["run_id"]}
    assert server.status(f"/get-artifact?run_id={run}&path=sub/a.txt") == (200, "hello")
    call(server, "/api/v1/runs/move", {"run_ids": [run], "experiment_id": "999"}, status=404)
    call(server, "/api/v1/runs/move", {"run_ids": [], "experiment_id": a}, status=400)


def test_what_was_champion_then(project):
    server = project.up()
    mlflow(server, "/registered-models/create", {"name": "m"})
    for _ in range(2):
        mlflow(server, "/model-versions/create", {"name": "m", "source": "s3://bucket/m"})
    mlflow(server, "/registered-models/alias", {"name": "m", "alias": "champion", "version": "1"})
    mlflow(server, "/registered-models/alias", {"name": "m", "alias": "champion", "version": "2"})
    second, first = project.run("model", "history", "m", "--json").json
    at = lambda ms: server.get(f"/api/v1/models/m/at?time={iso(ms)}")["aliases"]
    assert at(first["time"] - 1) == {}
    assert at(second["time"]) == {"champion": 2}
    if second["time"] > first["time"]:
        assert at(second["time"] - 1) == {"champion": 1}
    assert project.run("model", "history", "m", "--at", iso(second["time"]), "--json").json["aliases"] == {"champion": 2}
    project.run("model", "history", "m", "--at", "yesterday", code=2)
    for version in ("1", "2"):
        mlflow(server, "/model-versions/transition-stage", {"name": "m", "version": version, "stage": "production", "archive_existing_versions": True})
    times = [e["time"] for e in project.run("audit", "show", "--json").json if e["action"] == "version.stage"]
    stages = lambda ms: server.get(f"/api/v1/models/m/at?time={iso(ms)}")["stages"]
    assert stages(min(times) - 1) == {}
    assert stages(max(times)) == {"Archived": [1], "Production": [2]}
    if max(times) > min(times):
        assert stages(min(times)) == {"Production": [1]}
    assert project.run("model", "history", "m", "--at", iso(max(times)), "--json").json["stages"]["Production"] == [2]


def iso(ms):
    import datetime
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def test_an_address_that_others_reach_asks_for_a_login(project):
    server = project.up("--login")
    assert server.status("/api/v1/models")[0] == 401
    assert server.status("/health")[0] == 200
    assert "/login?setup=" in server.tail()
    project.run("user", "add", "robot", "--service", "--role", "viewer")
    secret = project.run("token", "create", "robot", "--json").json["secret"]
    eventually(lambda: server.status("/api/v1/models", headers={"Authorization": "Bearer " + secret})[0] == 200, what="the token")
    assert server.status("/api/2.0/mlflow/experiments/create", {"name": "x"}, headers={"Authorization": "Bearer " + secret})[0] == 403
    project.run("user", "disable", "robot")
    eventually(lambda: server.status("/api/v1/models", headers={"Authorization": "Bearer " + secret})[0] == 401, what="the end of the account")
    project.run("user", "add", "a b", "--service", code=2)
    project.run("role", "grant", "nobody", "viewer", code=2)
    project.run("role", "grant", "robot", "owner", code=2)
