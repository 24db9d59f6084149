"""The peer of the prediction figure: FastAPI + onnxruntime serving the same model.onnx, as a careful engineer writes it: async, uvloop, httptools,
one session with one thread, no pandas."""
import json
import os
import pathlib

import numpy as np
import onnxruntime
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

folder = pathlib.Path(os.environ["MODEL"])
signature = json.loads((folder / "signature.json").read_text())
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
TEXT = {"string", "category", "date", "datetime"}
columns = [(c["name"], c["type"] in TEXT) for c in signature["inputs"]]
app = FastAPI()


@app.get("/health")
async def health():
    return "OK"


@app.post("/infer")
async def infer(request: Request):
    body = await request.json()
    given = {i["name"]: i["data"] for i in body["inputs"]}
    feeds = {}
    for name, text in columns:
        values = given[name]
        if text:
            feeds[name] = np.array(["" if v is None else v for v in values], dtype=object).reshape(-1, 1)
        else:
            feeds[name] = np.array([np.nan if v is None else v for v in values], dtype=np.float32).reshape(-1, 1)
    probabilities = session.run(["probabilities"], feeds)[0]
    return JSONResponse({"outputs": [{"name": "probabilities", "shape": list(probabilities.shape), "datatype": "FP32", "data": probabilities.ravel().tolist()}]})
