"""Makes the small ONNX files beside it: `python -m tests.networks.testdata.make`. Needs the extra `train` (onnx)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent
OPSET = 17
# A thing in the middle of a 32x32 picture, in YOLOX's terms: cell (1, 1) of stride 8, offset 1, size exp(log 2) strides.
CELLS = 21  # 4x4 + 2x2 + 1x1
PLANTED_ROW = (1.0, 1.0, float(np.log(2.0)), float(np.log(2.0)), 0.9, 1.0, 0.0)


def crop_model(
    side: int = 64, logits: Callable[[], list[onnx.NodeProto]] | None = None, weight: onnx.TensorProto | None = None
) -> onnx.ModelProto:
    """u8 (n, side, side) → probabilities of three labels, from the mean of the upper, middle and lower rows."""
    if weight is None:
        bands = np.zeros((side, 3), np.float32)
        for band in range(3):
            bands[side * band // 3 : side * (band + 1) // 3, band] = 1 / side
        weight = numpy_helper.from_array(bands, "bands")
    nodes = [
        helper.make_node("Cast", ["crop"], ["pixel"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixel"], ["row"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["row", "bands"], ["logit"]),
        *(logits() if logits else [helper.make_node("Softmax", ["logit"], ["probability"], axis=1)]),
    ]
    graph = helper.make_graph(
        nodes,
        "crop",
        [helper.make_tensor_value_info("crop", TensorProto.UINT8, ["n", side, side])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 3])],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def nan_model() -> onnx.ModelProto:
    """Gives NaN: the logarithm of minus the mean grey."""
    return crop_model(
        logits=lambda: [helper.make_node("Neg", ["logit"], ["minus"]), helper.make_node("Log", ["minus"], ["probability"])]
    )


def foreign_model() -> onnx.ModelProto:
    """Uses an operator of a domain that ONNX does not know."""
    model = crop_model(logits=lambda: [helper.make_node("Softest", ["logit"], ["probability"], domain="org.example")])
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    return model


def external_model() -> onnx.ModelProto:
    """Keeps its weights in a file named by a path that leaves the folder."""
    weight = TensorProto(name="bands", data_type=TensorProto.FLOAT, dims=[64, 3], data_location=TensorProto.EXTERNAL)
    weight.external_data.append(onnx.StringStringEntryProto(key="location", value="../../secret.bin"))
    return crop_model(weight=weight)


def yolox_model() -> onnx.ModelProto:
    """f32 (1, 3, 32, 32) → (1, 21, 7): one planted thing of the first of two labels, scaled by nothing in the picture."""
    rows = np.zeros((1, CELLS, 7), np.float32)
    rows[0, 5] = PLANTED_ROW
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Add", ["rows", "zero"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "yolox",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, CELLS, 7])],
        [numpy_helper.from_array(rows, "rows"), numpy_helper.from_array(np.zeros(1, np.float32), "nothing")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def picodet_model() -> onnx.ModelProto:
    """f32 (1, 3, 64, 64) → eight maps of four strides: one thing of the second label, at column 1, row 1 of stride 16."""
    planted: Constants = {}
    for stride in (8, 16, 32, 64):
        cells = (64 // stride) ** 2
        planted[f"classes{stride}"] = np.full((1, cells, 2), 0.01, np.float32)
        planted[f"distances{stride}"] = np.full((1, cells, 32), -30, np.float32)
    planted["classes16"][0, 5] = (0.1, 0.8)
    bins = planted["distances16"].reshape(1, 16, 4, 8)
    for side, place in enumerate((1, 0, 1, 2)):  # left, top, right, bottom, in strides
        bins[0, 5, side, place] = 30
    return _planted("picodet", [1, 3, 64, 64], planted)


def detr_model() -> onnx.ModelProto:
    """f32 (N, 3, 32, 64) → logits (N, 3, 2), pred_boxes (N, 3, 4): the second query sees a thing of the first label, the surer
    the brighter the picture: its logit is ten times the mean, less five, of a picture scaled to 0–1."""
    logits = np.full((1, 3, 2), -9, np.float32)
    logits[0, 1, 0] = -5
    gain = np.zeros((1, 3, 2), np.float32)
    gain[0, 1, 0] = 10
    boxes = np.tile(np.array([0.5, 0.25, 0.5, 0.5], np.float32), (1, 3, 1))
    nodes = [
        *_brightness(),
        helper.make_node("Mul", ["brightness", "gain"], ["bright_logits"]),
        helper.make_node("Add", ["bright_logits", "planted_logits"], ["logits"]),
        helper.make_node("Mul", ["brightness", "nothing"], ["zero"]),
        helper.make_node("Add", ["planted_boxes", "zero"], ["pred_boxes"]),
    ]
    outputs: Values = [("logits", TensorProto.FLOAT, ["n", 3, 2]), ("pred_boxes", TensorProto.FLOAT, ["n", 3, 4])]
    constants = {"planted_logits": logits, "gain": gain, "planted_boxes": boxes, "nothing": np.zeros(1, np.float32)}
    return _model("detr", [("images", TensorProto.FLOAT, ["n", 3, 32, 64])], outputs, nodes, constants)


def detr_sized_model() -> onnx.ModelProto:
    """The same with its last step: labels, boxes, scores; boxes are fractions times the sizes it is given, the last query's label
    is one that the card does not have."""
    corners = np.tile(np.array([0.25, 0.0, 0.75, 0.5], np.float32), (1, 3, 1))
    nodes = [
        *_brightness(),
        helper.make_node("Cast", ["orig_target_sizes"], ["size"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["size", "size"], ["size4"], axis=1),
        helper.make_node("Reshape", ["size4", "as_boxes"], ["size_boxes"]),
        helper.make_node("Mul", ["corners", "size_boxes"], ["boxes"]),
        helper.make_node("Reshape", ["brightness", "as_rows"], ["bright_rows"]),
        helper.make_node("Mul", ["bright_rows", "planted_scores"], ["scores"]),
        helper.make_node("Mul", ["bright_rows", "nothing"], ["zero"]),
        helper.make_node("Add", ["planted_labels", "zero"], ["labels_f"]),
        helper.make_node("Cast", ["labels_f"], ["labels"], to=TensorProto.INT64),
    ]
    inputs: Values = [("images", TensorProto.FLOAT, ["n", 3, 32, 64]), ("orig_target_sizes", TensorProto.INT64, ["n", 2])]
    outputs: Values = [
        ("labels", TensorProto.INT64, ["n", 3]),
        ("boxes", TensorProto.FLOAT, ["n", 3, 4]),
        ("scores", TensorProto.FLOAT, ["n", 3]),
    ]
    constants = {
        "corners": corners,
        "as_boxes": np.array([-1, 1, 4], np.int64),
        "as_rows": np.array([-1, 1], np.int64),
        "planted_scores": np.array([[0.05, 1.0, 0.9]], np.float32),
        "planted_labels": np.array([[0, 1, 7]], np.float32),
        "nothing": np.zeros(1, np.float32),
    }
    return _model("detr_sized", inputs, outputs, nodes, constants)


def _brightness() -> list[onnx.NodeProto]:
    """Mean of each picture, (N, 1, 1)."""
    return [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Squeeze", ["mean", "last_axis"], ["brightness"]),
    ]


Values = Sequence[tuple[str, int, Sequence[str | int]]]
Constants = dict[str, Any]  # of NumPy arrays


def _planted(name: str, shape: Sequence[str | int], planted: Constants) -> onnx.ModelProto:
    """A network whose outputs are `planted`, whatever the picture."""
    nodes = [*_brightness(), helper.make_node("Mul", ["brightness", "nothing"], ["zero"])]
    nodes += [helper.make_node("Add", [f"planted_{key}", "zero"], [key]) for key in planted]
    outputs: Values = [(key, TensorProto.FLOAT, list(value.shape)) for key, value in planted.items()]
    constants = {f"planted_{key}": value for key, value in planted.items()} | {"nothing": np.zeros(1, np.float32)}
    return _model(name, [("images", TensorProto.FLOAT, shape)], outputs, nodes, constants)


def _model(name: str, inputs: Values, outputs: Values, nodes: list[onnx.NodeProto], constants: Constants) -> onnx.ModelProto:
    constants = constants | {"last_axis": np.array([3], np.int64)}
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def main() -> None:
    """Write every file."""
    models = {
        "crop_sound": crop_model(),
        "crop_wrong_shape": crop_model(side=32),
        "crop_nan": nan_model(),
        "crop_foreign_operator": foreign_model(),
        "crop_external_data": external_model(),
        "crop_no_softmax": crop_model(logits=lambda: [helper.make_node("Identity", ["logit"], ["probability"])]),
        "yolox_tiny": yolox_model(),
        "picodet_tiny": picodet_model(),
        "detr_tiny": detr_model(),
        "detr_sized_tiny": detr_sized_model(),
    }
    for name, model in models.items():
        (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
