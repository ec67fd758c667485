"""Makes the small ONNX files beside it: `python -m tests.networks.testdata.make`. Needs the extra `train` (onnx)."""

from collections.abc import Callable
from pathlib import Path

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
    }
    for name, model in models.items():
        (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
