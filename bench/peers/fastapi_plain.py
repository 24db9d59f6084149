"""The same peer as FastAPI's own tutorial writes it: pydantic models in and out, a plain function, uvicorn as `pip install fastapi uvicorn` brings it."""
import json
import os
import pathlib

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

folder = pathlib.Path(os.environ["MODEL"])
signature = json.loads((folder / "signature.json").read_text())
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
TEXT = {"string", "category", "date", "datetime"}
app = FastAPI()


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float | str | None]


class InferRequest(BaseModel):
    inputs: list[Tensor]


class InferResponse(BaseModel):
    outputs: list[Tensor]


@app.get("/health")
def health():
    return "OK"


@app.post("/infer")
def infer(request: InferRequest) -> InferResponse:
    given = {i.name: i.data for i in request.inputs}
    feeds = {}
    for column in signature["inputs"]:
        values = given[column["name"]]
        if column["type"] in TEXT:
            feeds[column["name"]] = np.array(["" if v is None else v for v in values], dtype=object).reshape(-1, 1)
        else:
            feeds[column["name"]] = np.array([np.nan if v is None else v for v in values], dtype=np.float32).reshape(-1, 1)
    probabilities = session.run(["probabilities"], feeds)[0]
    return InferResponse(outputs=[Tensor(name="probabilities", shape=list(probabilities.shape), datatype="FP32", data=probabilities.ravel().tolist())])
