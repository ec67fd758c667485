"""A crop network with its convolutions in eight bits. Needs `onnx`, which only training has; nothing at work imports this."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantise"]

BATCH = 64


def quantise(network: Path, crop: NDArray[np.uint8], out: Path) -> None:
    """Write `network` to `out` with its convolutions in eight bits, ranges as on `crop` u8 (N, 64, 64).

    Standardisation and the last layer stay in float: the first would lose dark crops, the second costs nothing.
    """
    # It ships no types, and needs `onnx`, which only training has
    from onnxruntime.quantization import (  # type: ignore[import-untyped]
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    # Its own pre-processing is left out: batch normalisation is folded already, and it lists operators the network does not use.
    quantize_static(
        str(network),
        str(out),
        _Batches(crop),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )


class _Batches:
    """What ONNX Runtime's calibration asks for: batches by the input's name, None at the end."""

    def __init__(self, crop: NDArray[np.uint8]) -> None:
        self._batches: Iterator[dict[str, NDArray[np.uint8]]] = iter(
            [{"crop": crop[at : at + BATCH]} for at in range(0, len(crop), BATCH)]
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)
