"""The same grammar runs other people's data to a served model with sensible metrics: mortgage (fairness), students (regression), spam (text)."""
from conftest import dataset_file, eventually

import csv


def rows(path, n):
    with open(path, newline="", encoding="utf-8") as f:
        return [row for _, row in zip(range(n), csv.DictReader(f))]


def infer_body(signature, records):
    """An Open Inference Protocol request from CSV rows."""
    inputs = []
    for column in signature["inputs"]:
        text = column["type"] in ("string", "category", "date", "datetime")
        values = [r[column["name"]] or None for r in records]
        if not text:
            values = [None if v is None else float(v) for v in values]
        inputs.append({"name": column["name"], "shape": [len(records)], "datatype": "BYTES" if text else "FP64", "data": values})
    return {"inputs": inputs}


def serve_and_score(project, endpoint, source, n=20):
    server = project.up()
    signature = project.json("out/model/signature.json")
    answer = eventually(lambda: server.status(f"/v2/models/{endpoint}/ready")[0] == 200, what="the endpoint") and server.post(
        f"/v2/models/{endpoint}/infer", infer_body(signature, rows(source, n)))
    outputs = {o["name"]: o["data"] for o in answer["outputs"]}
    return outputs


def test_mortgage_is_judged_for_fairness(project):
    source = dataset_file("hmda_mortgage.csv")
    project.write("data/hmda.csv", source.read_bytes())
    project.write("rondo.yaml", """project: mortgage
seed: 3
problem:
  task: binary
  target: deny
  positive: "yes"
  sensitive: [afam]
  risk: high
  intended_use: Teaching material about fair lending.
  success:
    - auc >= 0.70
    - "warn: demographic_parity_ratio[afam] >= 0.80"
data: {applications: {from: data/hmda.csv}}
train: {algorithm: logistic}
features: {numeric: {impute: median, scale: standard}}
deploy: {endpoint: mortgage}
""")
    project.run("run")
    metrics = project.json("out/metrics.json")
    assert metrics["test"]["auc"]["value"] > 0.70
    groups = metrics["fairness"]["afam"]["groups"]
    assert set(groups) >= {"yes", "no"}
    warn = [g for g in metrics["gates"] if "demographic_parity_ratio" in g["gate"]]
    assert warn and "value" in warn[0]
    outputs = serve_and_score(project, "mortgage", source)
    assert len(outputs["probabilities"]) == 40
    assert set(outputs["label"]) <= {"yes", "no"}


def test_students_scores_are_predicted(project):
    source = dataset_file("student_star.csv")
    project.write("data/star.csv", source.read_bytes())
    project.write("rondo.yaml", """project: students
problem:
  task: regression
  target: math3
  success: [r2 >= 0.30, rmse <= champion * 1.05]
data: {pupils: {from: data/star.csv}}
features: {drop: [read3, schoolid3]}
train: {algorithm: lightgbm, params: {rounds: 200, learning_rate: 0.05, early_stopping: 20}}
deploy: {endpoint: students}
""".replace(", rmse <= champion * 1.05", ""))
    project.run("run")
    metrics = project.json("out/metrics.json")
    assert metrics["task"] == "regression"
    assert 0.30 < metrics["test"]["r2"]["value"] < 1
    assert metrics["test"]["rmse"]["value"] < metrics["baselines"]["dummy"]["rmse"]["value"]
    outputs = serve_and_score(project, "students", source)
    assert all(400 < v < 800 for v in outputs["prediction"])


def test_spam_is_told_from_ham_by_text(project):
    source = dataset_file("spam_mail.csv")
    project.write("data/mail.csv", source.read_bytes())
    project.write("rondo.yaml", """project: spam
problem: {task: binary, target: label, positive: spam, success: [auc >= 0.95, precision >= 0.85]}
data: {mail: {from: data/mail.csv}}
features: {columns: {subject: {text: tfidf, max_terms: 1000}, body: {text: tfidf, max_terms: 3000}}}
train: {algorithm: logistic}
deploy: {endpoint: spam}
""")
    project.run("run")
    metrics = project.json("out/metrics.json")
    assert metrics["test"]["auc"]["value"] > 0.95
    outputs = serve_and_score(project, "spam", source)
    assert set(outputs["label"]) <= {"ham", "spam"}
