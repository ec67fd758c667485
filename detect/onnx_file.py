"""A look into the bytes of an ONNX file before ONNX Runtime sees them: is it one, does it reach outside itself?

Only the few fields needed are read (onnx.proto3, ONNX 1.17), with the wire format of protocol buffers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from base.errors import ModelError

__all__ = ["OnnxFacts", "inspect_onnx"]

MAX_DEPTH = 32  # of graphs within graphs; real networks stay below 4

# Message → number of a field → message it holds. Fields not named here are passed over.
SCHEMA: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
    "opset": {},
}
NODE_DOMAIN, OPSET_DOMAIN = 7, 1
TENSOR_EXTERNAL_DATA, TENSOR_LOCATION = 13, 14


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """`domains` of the operators used ("" is ONNX's own), whether any weight lies in another file, how many nodes there are."""

    domains: frozenset[str]
    has_external_data: bool
    nodes: int


def inspect_onnx(data: bytes) -> OnnxFacts:
    """What the file uses; raises ModelError where the bytes are no ONNX model."""
    walk = _Walk(set(), False, 0)
    try:
        walk.visit(memoryview(data), "model", 0)
    except (ValueError, IndexError) as problem:
        raise ModelError(f"not a readable ONNX file: {problem}") from None
    if not walk.nodes:
        raise ModelError("not a readable ONNX file: it holds no operators")
    return OnnxFacts(frozenset(walk.domains), walk.has_external_data, walk.nodes)


@dataclass(slots=True)
class _Walk:
    domains: set[str]
    has_external_data: bool
    nodes: int

    def visit(self, data: memoryview, message: str, depth: int) -> None:
        """Collect from one message and those within."""
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        self.nodes += message == "node"
        for field, value in _fields(data):
            if isinstance(value, int):
                self.has_external_data |= message == "tensor" and field == TENSOR_LOCATION and value != 0
            elif field in SCHEMA[message]:
                self.visit(value, SCHEMA[message][field], depth + 1)
            elif (message, field) in (("node", NODE_DOMAIN), ("opset", OPSET_DOMAIN)):
                self.domains.add(bytes(value).decode("utf-8"))
            elif message == "tensor" and field == TENSOR_EXTERNAL_DATA:
                self.has_external_data = True


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: an integer, or the bytes of what has a length. Raises ValueError where they end early."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield field, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > len(data):
            raise ValueError(f"{size} bytes announced at byte {at}, {len(data) - at} left")
        if wire == 2:
            yield field, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"endless number at byte {at}")
