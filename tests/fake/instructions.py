"""Changes that a test asks a fake for: `{"op": method, ...arguments}` calls a public method of the class."""

import inspect


class Instructions:
    def __init__(self, world):
        self.world = world

    def _chosen(self, instruction):
        """Name, method and arguments of an instruction."""
        arguments = dict(instruction)
        op = arguments.pop("op", "")
        method = None if op.startswith("_") or op == "apply" else getattr(self, op, None)
        if not inspect.ismethod(method):
            raise ValueError(f"unknown op {op!r}")
        return op, method, arguments
