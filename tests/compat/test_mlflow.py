"""The unmodified mlflow 3.17 client: experiments, runs, metrics, artifacts, models, versions, aliases, as its users call it."""
import json
import math
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"  # a mistake of ours must show at once
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import numpy as np
import onnx
import onnx.helper as oh
import pytest
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from conftest import RONDO, ROOT, Server


@pytest.fixture(autouse=True)
def tracking(server):
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)


@pytest.fixture
def client(server):
    return mlflow.MlflowClient(server.url)


@pytest.fixture
def experiment(client, request):
    return client.create_experiment(f"{request.node.name}-{os.urandom(4).hex()}")


def call(server, method, path, body=None, content_type="application/json"):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, method=method, headers={"Content-Type": content_type} if data is not None else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def onnx_model(weight=2.0):
    """y = weight * x"""
    graph = oh.make_graph(
        [oh.make_node("Mul", ["x", "w"], ["y"])], "g",
        [oh.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 1])],
        [oh.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 1])],
        [oh.make_tensor("w", onnx.TensorProto.FLOAT, [1], [weight])])
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


# Experiments

def test_default_experiment_is_there(client):
    default = client.get_experiment("0")
    assert (default.name, default.lifecycle_stage, default.artifact_location) == ("Default", "active", "mlflow-artifacts:/0")


def test_experiment_life(client):
    name = "life-" + os.urandom(4).hex()
    made = mlflow.set_experiment(name)
    assert mlflow.set_experiment(name).experiment_id == made.experiment_id
    client.set_experiment_tag(made.experiment_id, "team", "growth")
    assert client.get_experiment_by_name(name).tags == {"team": "growth"}
    client.delete_experiment_tag(made.experiment_id, "team")
    client.rename_experiment(made.experiment_id, name + "-2")
    assert client.get_experiment_by_name(name) is None
    client.delete_experiment(made.experiment_id)
    assert client.get_experiment(made.experiment_id).lifecycle_stage == "deleted"
    with pytest.raises(MlflowException) as e:
        client.create_experiment(name + "-2")
    assert e.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.restore_experiment(made.experiment_id)
    assert client.get_experiment(made.experiment_id).lifecycle_stage == "active"
    with pytest.raises(MlflowException, match="No Experiment with id=987654 exists"):
        client.get_experiment("987654")


def test_search_experiments(client):
    mark = os.urandom(4).hex()
    ids = [client.create_experiment(f"s-{mark}-{i}", tags={"mark": mark, "i": str(i)}) for i in range(5)]
    assert [e.experiment_id for e in client.search_experiments(filter_string=f"tags.mark = '{mark}'", order_by=["name ASC"])] == ids
    page = client.search_experiments(filter_string=f"name LIKE 's-{mark}%'", max_results=2)
    assert len(page) == 2 and page.token
    seen = list(page)
    while page.token:
        page = client.search_experiments(filter_string=f"name LIKE 's-{mark}%'", max_results=2, page_token=page.token)
        seen += page
    assert len(seen) == 5
    client.delete_experiment(ids[0])
    assert [e.experiment_id for e in client.search_experiments(ViewType.DELETED_ONLY, filter_string=f"tags.mark = '{mark}'")] == ids[:1]


# Runs

def test_fluent_run(client):
    mlflow.set_experiment("fluent-" + os.urandom(4).hex())
    with mlflow.start_run(run_name="first", tags={"team": "growth"}) as run:
        mlflow.log_param("depth", 4)
        mlflow.log_params({"rate": 0.1, "empty": ""})
        for step in range(10):
            mlflow.log_metric("auc", 0.7 + step / 100, step=step)
        mlflow.log_metrics({"loss": 0.3, "brier": 0.1}, step=3)
        mlflow.set_tags({"a": "1", "b": "2"})
        with mlflow.start_run(nested=True, run_name="child") as child:
            mlflow.log_metric("x", 1)
    got = client.get_run(run.info.run_id)
    assert got.info.status == "FINISHED" and got.info.run_name == "first" and got.info.end_time >= got.info.start_time
    assert got.data.params == {"depth": "4", "rate": "0.1", "empty": ""}
    assert got.data.metrics == {"auc": 0.7 + 9 / 100, "loss": 0.3, "brier": 0.1}
    assert {"team": "growth", "a": "1", "b": "2"}.items() <= got.data.tags.items()
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id
    assert [m.value for m in client.get_metric_history(run.info.run_id, "auc")] == [0.7 + s / 100 for s in range(10)]
    with pytest.raises(ValueError):
        with mlflow.start_run() as failed:
            raise ValueError
    assert client.get_run(failed.info.run_id).info.status == "FAILED"


def test_run_life(client, experiment):
    run = client.create_run(experiment, run_name="r", start_time=123, tags={"k": "v"})
    rid = run.info.run_id
    assert run.info.start_time == 123 and run.info.status == "RUNNING"
    client.set_tag(rid, "mlflow.note.content", "note")
    client.delete_tag(rid, "k")
    with pytest.raises(MlflowException, match="No tag with name: k in run"):
        client.delete_tag(rid, "k")
    client.update_run(rid, status="SCHEDULED", name="renamed")
    client.set_terminated(rid, "KILLED", 456)
    got = client.get_run(rid)
    assert (got.info.status, got.info.end_time, got.info.run_name) == ("KILLED", 456, "renamed")
    client.delete_run(rid)
    assert client.get_run(rid).info.lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="must be in the 'active' state. Current state is deleted"):
        client.log_metric(rid, "m", 1)
    client.restore_run(rid)
    client.log_metric(rid, "m", 1)
    with pytest.raises(MlflowException) as e:
        client.get_run("0" * 32)
    assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_batches_and_refusals(client, experiment):
    rid = client.create_run(experiment).info.run_id
    metrics = [Metric(f"m{i % 7}", i / 3, 1000 + i, i) for i in range(2500)]  # the client splits them
    client.log_batch(rid, metrics=metrics, params=[Param(f"p{i}", str(i)) for i in range(150)], tags=[RunTag("t", "1")])
    got = client.get_run(rid)
    assert len(got.data.params) == 150 and len(got.data.metrics) == 7
    assert got.data.metrics["m0"] == [m.value for m in metrics if m.key == "m0"][-1]
    assert len(client.get_metric_history(rid, "m3")) == 357
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_param(rid, "p1", "other")
    client.log_param(rid, "p1", "1")
    with pytest.raises(MlflowException, match="Names may only contain"):
        client.log_metric(rid, "a;b", 1)
    # Repeated after a lost answer: nothing twice.
    client.log_batch(rid, metrics=metrics[:500])
    assert len(client.get_metric_history(rid, "m3")) == 357


def test_values_survive_exactly(client, experiment):
    rid = client.create_run(experiment).info.run_id
    values = [0.1, 1 / 3, 5e-324, -1.7976931348623157e308, 1e22, float("nan")]
    for step, value in enumerate(values):
        client.log_metric(rid, "v", value, timestamp=7, step=step)
    history = sorted(client.get_metric_history(rid, "v"), key=lambda m: m.step)
    assert [m.value for m in history[:-1]] == values[:-1] and math.isnan(history[-1].value)
    assert math.isnan(client.get_run(rid).data.metrics["v"])
    client.log_metric(rid, "inf", float("inf"))
    assert client.get_run(rid).data.metrics["inf"] == 1.7976931348623157e308  # what MLflow's server answers
    client.log_metric(rid, "steps", 5, timestamp=10, step=2)
    client.log_metric(rid, "steps", 9, timestamp=99, step=1)
    assert client.get_run(rid).data.metrics["steps"] == 5


def test_long_history_pages(client, experiment):
    rid = client.create_run(experiment).info.run_id
    for start in range(0, 26_000, 1000):
        client.log_batch(rid, metrics=[Metric("m", float(i), i, i) for i in range(start, start + 1000)])
    history = client.get_metric_history(rid, "m")  # the client asks for 25,000 at a time
    assert len(history) == 26_000 and [m.step for m in history] == list(range(26_000))


def test_search_runs(client, experiment):
    for i in range(12):
        run = client.create_run(experiment, run_name=f"r{i:02}", start_time=1000 + i)
        client.log_metric(run.info.run_id, "auc", i / 10)
        client.log_param(run.info.run_id, "depth", i % 3)
        client.set_tag(run.info.run_id, "team", "Growth" if i % 2 else "growing")

    def names(filter_string="", **more):
        return [r.info.run_name for r in client.search_runs([experiment], filter_string, **more)]

    assert names() == [f"r{i:02}" for i in reversed(range(12))]
    assert names("metrics.auc > 0.85 AND params.depth = '0'") == ["r09"]
    assert names("metrics.auc >= 1.0", order_by=["metrics.auc ASC"]) == ["r10", "r11"]
    assert names("tags.team LIKE 'Growth' and params.depth != '1'", order_by=["params.depth DESC", "metrics.auc DESC"]) == ["r11", "r05", "r09", "r03"]
    assert names("tags.team ILIKE 'growth' AND attributes.run_name LIKE 'r0%'", order_by=["run_name"]) == ["r01", "r03", "r05", "r07", "r09"]
    assert names("start_time < 1002") == ["r01", "r00"]
    assert len(mlflow.search_runs([experiment], "metrics.auc > 0.3", output_format="pandas")) == 8
    page = client.search_runs([experiment], max_results=5)
    seen = [r.info.run_name for r in page]
    while page.token:
        page = client.search_runs([experiment], max_results=5, page_token=page.token)
        seen += [r.info.run_name for r in page]
    assert seen == names()
    for bad, words in [("metrics.auc > 1 OR metrics.auc < 2", r"Invalid clause\(s\) in filter string: 'OR'"), ("metrics.auc > 'x'", "Expected numeric value type for metric"),
                       ("foo.bar = 'x'", "Invalid entity type 'foo'")]:
        with pytest.raises(MlflowException, match=words) as e:
            names(bad)
        assert e.value.error_code == "INVALID_PARAMETER_VALUE"


def test_dataset_inputs(client):
    mlflow.set_experiment("inputs-" + os.urandom(4).hex())
    data = mlflow.data.from_numpy(np.arange(10.0), source="http://example.org/x.npy", name="customers")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"k": "v"})
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert inputs[0].dataset.name == "customers" and inputs[0].dataset.digest == data.digest
    assert {t.key: t.value for t in inputs[0].tags} == {"mlflow.data.context": "training", "k": "v"}
    assert len(client.search_runs([run.info.experiment_id], "dataset.name = 'customers' AND dataset.context = 'training'")) == 1


# Artifacts

def test_artifacts(client, experiment, tmp_path):
    rid = client.create_run(experiment).info.run_id
    (tmp_path / "up/sub").mkdir(parents=True)
    (tmp_path / "up/a.txt").write_text("alpha")
    (tmp_path / "up/sub/b.bin").write_bytes(bytes(range(256)) * 40_000)  # 10 MB
    (tmp_path / "up/empty").write_bytes(b"")
    client.log_artifacts(rid, str(tmp_path / "up"), "folder")
    client.log_artifact(rid, str(tmp_path / "up/a.txt"))
    client.log_text(rid, "grüße", "texts/ü ä.txt")
    client.log_text(rid, '{"a": [1, 2]}', "d.json")
    assert sorted((f.path, f.is_dir, f.file_size) for f in client.list_artifacts(rid)) == [("a.txt", False, 5), ("d.json", False, 13), ("folder", True, None), ("texts", True, None)]
    assert [f.path for f in client.list_artifacts(rid, "folder")] == ["folder/a.txt", "folder/empty", "folder/sub"]
    assert client.list_artifacts(rid, "nowhere") == []
    got = client.download_artifacts(rid, "folder", str(tmp_path))
    assert (tmp_path / "up/sub/b.bin").read_bytes() == open(os.path.join(got, "sub/b.bin"), "rb").read()
    assert mlflow.artifacts.load_text(f"runs:/{rid}/texts/ü ä.txt") == "grüße"
    assert mlflow.artifacts.load_dict(f"runs:/{rid}/d.json") == {"a": [1, 2]}
    with pytest.raises(Exception):
        client.download_artifacts(rid, "missing.txt", str(tmp_path))


def test_artifact_paths_cannot_escape(server, client, experiment):
    rid = client.create_run(experiment).info.run_id
    client.log_text(rid, "x", "x.txt")
    proxy = "/api/2.0/mlflow-artifacts/artifacts"
    for path in ["../rondo.db", "..%2frondo.db", "%2e%2e/rondo.db", f"{experiment}/../../rondo.db", "/etc/passwd", "%2fetc%2fpasswd", "..%5crondo.db", "a%00b", ".tmp/x", "%252e%252e/rondo.db"]:
        for method, body in [("GET", None), ("PUT", b"evil"), ("DELETE", None)]:
            status, text, _ = call(server, method, f"{proxy}/{path}", body, "application/octet-stream")
            # A doubly encoded path is just a strange name: it may be written and found, inside.
            assert status in (400, 404, 405) or "%25" in path, (method, path, status, text)
            assert b"SQLite" not in text and str(server.folder).encode() not in text
        status, text, _ = call(server, "GET", f"{proxy}?path={path}")
        assert status in (200, 400) and b"rondo.db" not in text and b"root" not in text, (path, status, text)
        status, _, _ = call(server, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={rid}&path={path}")
        assert status in (200, 400)
    status, body, headers = call(server, "GET", f"{proxy}/{experiment}/{rid}/artifacts/x.txt")
    assert (status, body) == (200, b"x")
    assert headers["Content-Disposition"].startswith("attachment") and headers["X-Content-Type-Options"] == "nosniff"
    assert call(server, "GET", f"/get-artifact?run_id={rid}&path=x.txt")[1] == b"x"
    status, text, _ = call(server, "GET", f"{proxy}/{experiment}/{rid}/artifacts/none")
    assert status == 404 and json.loads(text)["error_code"] == "RESOURCE_DOES_NOT_EXIST"


# Registry

def test_registry_life(client, experiment):
    name = "m-life " + os.urandom(4).hex()
    client.create_registered_model(name, tags={"team": "growth"}, description="d")
    with pytest.raises(MlflowException) as e:
        client.create_registered_model(name)
    assert e.value.error_code == "RESOURCE_ALREADY_EXISTS"
    run = client.create_run(experiment)
    versions = [client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={"i": str(i)}, description=f"v{i}") for i in range(3)]
    assert [v.version for v in versions] == ["1", "2", "3"] or [v.version for v in versions] == [1, 2, 3]
    assert client.get_model_version_download_uri(name, "2") == f"{run.info.artifact_uri}/model"
    client.update_model_version(name, "2", "second")
    client.set_model_version_tag(name, "2", "k", "v")
    client.delete_model_version_tag(name, "2", "i")
    got = client.get_model_version(name, "2")
    assert got.description == "second" and got.tags == {"k": "v"} and got.run_id == run.info.run_id and got.status == "READY"
    client.set_registered_model_alias(name, "champion", "2")
    assert str(client.get_model_version_by_alias(name, "champion").version) == "2"
    assert {a: str(v) for a, v in client.get_registered_model(name).aliases.items()} == {"champion": "2"}
    assert client.get_model_version(name, "2").aliases == ["champion"]
    client.delete_registered_model_alias(name, "champion")
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException) as e:
        client.get_model_version_by_alias(name, "champion")
    assert e.value.error_code == "INVALID_PARAMETER_VALUE"
    for bad in ["latest", "v1", "a b"]:
        with pytest.raises(MlflowException):
            client.set_registered_model_alias(name, bad, "1")
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    assert client.get_model_version(name, "1").current_stage == "Archived"
    assert [str(v.version) for v in client.get_latest_versions(name, ["Production"])] == ["3"]
    client.delete_model_version(name, "3")
    with pytest.raises(MlflowException, match=r"Model Version \(name=.*, version=3\) not found"):
        client.get_model_version(name, "3")
    assert str(client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id).version) == "4"
    client.rename_registered_model(name, name + " 2")
    client.set_registered_model_tag(name + " 2", "a", "b")
    client.delete_registered_model_tag(name + " 2", "team")
    client.update_registered_model(name + " 2", "new")
    got = client.get_registered_model(name + " 2")
    assert got.tags == {"a": "b"} and got.description == "new"
    client.delete_registered_model(name + " 2")
    with pytest.raises(MlflowException, match="not found"):
        client.get_registered_model(name + " 2")


def test_registry_search(client, experiment):
    mark = os.urandom(4).hex()
    run = client.create_run(experiment)
    for i in range(4):
        client.create_registered_model(f"{mark}-{i}", tags={"mark": mark})
        client.create_model_version(f"{mark}-{i}", f"{run.info.artifact_uri}/m{i}", run.info.run_id, tags={"kind": "even" if i % 2 == 0 else "odd"})
    assert [m.name for m in client.search_registered_models(f"name LIKE '{mark}%'", order_by=["name DESC"])] == [f"{mark}-{i}" for i in (3, 2, 1, 0)]
    page = client.search_registered_models(f"tags.mark = '{mark}'", max_results=3)
    assert len(page) == 3 and len(client.search_registered_models(f"tags.mark = '{mark}'", max_results=3, page_token=page.token)) == 1
    assert sorted(v.name for v in client.search_model_versions(f"run_id = '{run.info.run_id}' AND tags.kind = 'odd'")) == [f"{mark}-1", f"{mark}-3"]
    with pytest.raises(MlflowException):
        client.search_model_versions("nonsense = 'x'")


def test_version_sources_are_checked(client, experiment):
    name = "src-" + os.urandom(4).hex()
    client.create_registered_model(name)
    run = client.create_run(experiment)
    for bad in ["/etc", "file:///etc", "../x", "mlflow-artifacts:/../../etc", "mlflow-artifacts:/a/../../b", "s3://b/x?y=1", "models:/none/1", f"{run.info.artifact_uri}/model"]:
        with pytest.raises(MlflowException) as e:
            client.create_model_version(name, bad)
        assert e.value.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"), bad
    client.create_model_version(name, "s3://bucket/model")


# Models

def test_onnx_model_round_trip(client, tmp_path):
    mlflow.set_experiment("onnx-" + os.urandom(4).hex())
    name = "churn-" + os.urandom(4).hex()
    x = np.array([[1.0], [2.5]], dtype=np.float32)
    with mlflow.start_run() as run:
        mlflow.log_metric("auc", 0.8)
        info = mlflow.onnx.log_model(onnx_model(2.0), name="model", registered_model_name=name, signature=mlflow.models.infer_signature(x, x))
    client.set_registered_model_alias(name, "champion", "1")
    for uri in (f"models:/{name}@champion", f"models:/{name}/1", info.model_uri, f"runs:/{run.info.run_id}/model"):
        onnx.checker.check_model(mlflow.onnx.load_model(uri))
        assert np.allclose(mlflow.pyfunc.load_model(uri).predict(x)["y"], 2 * x), uri
    version = client.get_model_version_by_alias(name, "champion")
    assert version.run_id == run.info.run_id
    logged = client.get_logged_model(info.model_id)
    assert logged.status.name == "READY" and logged.source_run_id == run.info.run_id
    assert [m.key for m in logged.metrics] == ["auc"]
    client.set_logged_model_tags(info.model_id, {"a": "b"})
    client.delete_logged_model_tag(info.model_id, "a")
    assert [m.model_id for m in client.search_logged_models([logged.experiment_id], "metrics.auc > 0.5", order_by=[{"field_name": "metrics.auc", "ascending": False}])] == [info.model_id]
    assert client.get_run(run.info.run_id).outputs.model_outputs[0].model_id == info.model_id
    with mlflow.start_run():
        mlflow.onnx.log_model(onnx_model(3.0), name="model", registered_model_name=name)
    client.set_registered_model_alias(name, "champion", "2")
    assert np.allclose(mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(x)["y"], 3 * x)
    client.delete_logged_model(info.model_id)
    with pytest.raises(MlflowException):
        client.get_logged_model(info.model_id)


def test_champion_of_a_project(tmp_path):
    """What `rondo run` registers loads and predicts the same scores; its run is there with metrics, histories and files."""
    import onnxruntime
    import pyarrow.parquet

    project = tmp_path / "churn"
    shutil.copytree(ROOT / "examples" / "churn", project)
    done = subprocess.run([str(RONDO), "run"], cwd=project, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    server = Server(project, project / ".rondo")
    try:
        mlflow.set_tracking_uri(server.url)
        mlflow.set_registry_uri(server.url)
        client = mlflow.MlflowClient(server.url)
        rows = pyarrow.parquet.read_table(project / "out/split/test.parquet").to_pylist()
        expected = [p["score"] for p in pyarrow.parquet.read_table(project / "out/predictions/test.parquet", columns=["score"]).to_pylist()]
        model = mlflow.onnx.load_model("models:/churn@champion")
        session = onnxruntime.InferenceSession(model.SerializeToString())

        def column(spec):
            values = [row[spec.name] for row in rows]
            if spec.type == "tensor(string)":
                return np.array(["" if v is None else str(v) for v in values], dtype=object).reshape(-1, 1)
            return np.array([np.nan if v is None else v for v in values], dtype=np.float32).reshape(-1, 1)

        feeds = {spec.name: column(spec) for spec in session.get_inputs()}
        scores = session.run(["probabilities"], feeds)[0][:, 1]
        assert len(rows) == len(expected) > 1000 and np.abs(scores - expected).max() < 1e-5
        version = client.get_model_version_by_alias("churn", "champion")
        run = client.get_run(version.run_id)
        assert run.info.status == "FINISHED" and run.data.metrics and run.data.params
        assert run.inputs.dataset_inputs
        curve = max((client.get_metric_history(version.run_id, key) for key in run.data.metrics), key=len)
        assert len(curve) > 10, "metrics of each round"
        paths = {f.path for f in client.list_artifacts(version.run_id)}
        assert {"model", "report.html", "metrics.json"} <= paths
        assert json.loads(mlflow.artifacts.load_text(f"runs:/{version.run_id}/metrics.json"))["task"] == "binary"
        assert mlflow.pyfunc.load_model("models:/churn@champion").metadata.signature is not None
    finally:
        server.stop()


# The wire itself

def test_raw_requests(server, client, experiment):
    status, body, _ = call(server, "GET", "/version")
    assert (status, body.decode()) == (200, mlflow.__version__)
    assert json.loads(call(server, "GET", "/api/3.0/mlflow/server-info")[1])["workspaces_enabled"] is False
    rid = client.create_run(experiment).info.run_id
    twin = json.loads(call(server, "GET", f"/ajax-api/2.0/mlflow/runs/get?run_uuid={rid}")[1])
    assert twin["run"]["info"]["run_id"] == rid and isinstance(twin["run"]["info"]["start_time"], int)
    post = "/api/2.0/mlflow/runs/log-metric"
    for body, words in [
        ({}, "Missing value for required parameter 'run_id'"),
        ({"run_id": rid}, "Missing value for required parameter 'key'"),
        ({"run_id": rid, "key": "m", "value": "x", "timestamp": 1}, "Invalid value \"x\" for parameter 'value' supplied"),
        ({"run_id": rid, "key": "m", "value": True, "timestamp": 1}, "Invalid value true for parameter 'value' supplied"),
        (b"{", "JSON"), (b"[1]", "JSON object"), (b"\xff\xfe", "JSON"),
    ]:
        status, text, _ = call(server, "POST", post, body)
        answer = json.loads(text)
        assert status == 400 and answer["error_code"] == "INVALID_PARAMETER_VALUE" and words in answer["message"], (body, text)
    assert call(server, "POST", post, b'{"run_id": "%s", "key": "m", "value": NaN, "timestamp": "5"}' % rid.encode())[0] == 200
    assert call(server, "POST", post, b"{}", "text/plain")[0] == 400
    assert call(server, "POST", "/api/2.0/mlflow/experiments/create", json.dumps(json.dumps({"name": "twice-" + rid})).encode())[0] == 200
    status, text, _ = call(server, "POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": rid, "metrics": [{"key": "m", "value": 1, "timestamp": 1}] * 1001})
    assert status == 400 and "at most 1000 metrics. Got 1001" in text.decode()
    assert call(server, "GET", "/api/2.0/mlflow/no/such")[0] == 404
    assert call(server, "POST", "/api/2.0/mlflow-artifacts/mpu/create/x", {})[0] == 501
    bulk = f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={rid}&metric_key=k&max_results=10"
    client.log_batch(rid, metrics=[Metric("k", float(i), i, i) for i in range(1000)])
    points = json.loads(call(server, "GET", bulk)[1])["metrics"]
    assert len(points) == 11 and points[0]["step"] == 0 and points[-1]["step"] == 999 and points[0]["run_id"] == rid


def test_acknowledged_data_survive_kill(tmp_path):
    server = Server(tmp_path)
    client = mlflow.MlflowClient(server.url)
    rid = client.create_run("0").info.run_id
    for i in range(50):
        client.log_metric(rid, "m", i, step=i)
    client.log_text(rid, "kept", "a.txt")
    server.stop(signal.SIGKILL)
    server.start()
    try:
        client = mlflow.MlflowClient(server.url)
        assert [m.step for m in client.get_metric_history(rid, "m")] == list(range(50))
        assert client.list_artifacts(rid)[0].path == "a.txt"
    finally:
        server.stop()
