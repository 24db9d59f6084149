"""A train stage of the user's own keeps the loop around it: scikit-learn to ONNX, an MLflow folder, an XGBoost file; extra stages are skipped by content."""
import sys

from conftest import eventually

TRAIN_ONNX = """
import json, os, pathlib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

train = pd.read_parquet(os.environ["RONDO_IN_TRAIN"])
numeric = ["tenure", "monthly_charges", "total_charges"]
texts = ["contract", "internet_service", "payment_method"]
y = (train["churn"] == "Yes").map({True: "Yes", False: "No"})
x = train[numeric + texts].copy()
x[numeric] = x[numeric].astype("float32")
model = make_pipeline(
    ColumnTransformer([("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
                       ("t", OneHotEncoder(handle_unknown="ignore"), texts)]),
    LogisticRegression(max_iter=1000))
model.fit(x, y)
types = [(n, FloatTensorType([None, 1])) for n in numeric] + [(t, StringTensorType([None, 1])) for t in texts]
onnx = to_onnx(model, initial_types=types, options={"zipmap": False}, target_opset={"": 17, "ai.onnx.ml": 3})
out = pathlib.Path(os.environ["RONDO_OUT_MODEL"])
out.mkdir(parents=True, exist_ok=True)
"""

PROJECT = """project: own
problem: {{task: binary, target: churn, positive: "Yes", success: [auc >= 0.80]}}
data: {{customers: {{from: data/telco_churn.csv}}}}
deploy: {{endpoint: own}}
stages:
  train:
    cmd: {python} train.py
    deps: [train.py]
  note:
    cmd: "echo $(cat out/metrics.json | wc -c) >> runs.txt; cp out/metrics.json note.json"
    deps: [out/metrics.json]
    outs: [note.json]
"""


def loop_runs(project):
    project.write("rondo.yaml", PROJECT.format(python=sys.executable))
    project.run("run")
    assert project.json("out/metrics.json")["test"]["auc"]["value"] > 0.80
    server = project.up()
    eventually(lambda: server.status("/v2/models/own/ready")[0] == 200, what="the endpoint")
    signature = project.json("out/model/signature.json")
    row = {"tenure": 1.0, "monthly_charges": 90.0, "total_charges": 90.0, "contract": "Month-to-month", "internet_service": "Fiber optic", "payment_method": "Electronic check"}
    inputs = []
    for column in signature["inputs"]:
        value = row.get(column["name"])
        text = isinstance(value, str)
        inputs.append({"name": column["name"], "shape": [1], "datatype": "BYTES" if column["type"] in ("string", "category") or text else "FP32", "data": [value]})
    answer = server.post("/v2/models/own/infer", {"inputs": inputs})
    outputs = {o["name"]: o["data"] for o in answer["outputs"]}
    assert 0 <= outputs["probabilities"][1] <= 1
    return outputs


def test_scikit_learn_to_onnx(churn):
    churn.write("train.py", TRAIN_ONNX + "(out / 'model.onnx').write_bytes(onnx.SerializeToString())\n")
    outputs = loop_runs(churn)
    assert outputs["probabilities"][1] > 0.4
    # Nothing changed: nothing runs, the extra stage neither.
    before = churn.read("runs.txt")
    churn.run("run")
    assert churn.read("runs.txt") == before
    # A comment in the script is a change of the script.
    churn.write("train.py", TRAIN_ONNX + "(out / 'model.onnx').write_bytes(onnx.SerializeToString())\n# again\n")
    plan = {s["name"]: s["action"] for s in churn.run("plan", "--json").json["stages"]}
    assert plan["train"] == "run" and plan["split"] == "skip"


def test_mlflow_folder_with_the_onnx_flavour(churn):
    churn.write("train.py", TRAIN_ONNX + """
folder = out / "mlmodel"
folder.mkdir(exist_ok=True)
(folder / "model.onnx").write_bytes(onnx.SerializeToString())
(folder / "MLmodel").write_text("artifact_path: model\\nflavors:\\n  onnx:\\n    code: null\\n    data: model.onnx\\n    onnx_version: 1.17.0\\n    providers:\\n    - CPUExecutionProvider\\n"
                                "  python_function:\\n    data: model.onnx\\n    loader_module: mlflow.onnx\\nmlflow_version: 3.17.2\\n")
""")
    loop_runs(churn)


def test_a_pickle_is_refused(churn):
    churn.write("train.py", """
import os, pathlib, pickle
out = pathlib.Path(os.environ["RONDO_OUT_MODEL"]); out.mkdir(parents=True, exist_ok=True)
(out / "model.pkl").write_bytes(pickle.dumps({}))
""")
    churn.write("rondo.yaml", PROJECT.format(python=sys.executable))
    result = churn.run("run", code=1)
    assert "model.onnx" in result.text
