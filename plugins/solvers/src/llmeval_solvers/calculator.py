"""A calculator that models may call: arithmetic, and nothing else."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llmeval_core.hooks import Json, ToolSpec

_LONGEST = 1000
_LARGEST = 10.0**300
_MOST_DIGITS = 15
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
}
_FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "abs": abs,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
}
_CONSTANTS = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True, slots=True)
class Calculator:
    """Evaluates expressions such as `(2 + 3) * sqrt(16)`, in floating point."""

    @property
    def spec(self) -> ToolSpec:
        """What a model is told of it."""
        return ToolSpec(
            "calculator",
            "Evaluates an arithmetic expression: + - * / // % **, parentheses, pi, e, and "
            + ", ".join(_FUNCTIONS),
            {
                "type": "object",
                "properties": {
                    "expression": {"type": "string", "description": "such as (2 + 3) * sqrt(16)"}
                },
                "required": ["expression"],
            },
        )

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Evaluate `expression`; whole numbers are written without a point.

        Raises:
            ValueError: it is no such expression, or has no finite value.
        """
        expression = arguments.get("expression")
        if not isinstance(expression, str) or len(expression) > _LONGEST:
            raise ValueError(f"`expression` must be a text of up to {_LONGEST} characters")
        try:
            tree = ast.parse(expression.strip().replace("^", "**"), mode="eval")
            value = _value(tree.body)
        except (SyntaxError, RecursionError, MemoryError) as err:
            raise ValueError(f"'{expression}' is not an arithmetic expression") from err
        except (ArithmeticError, TypeError) as err:
            raise ValueError(f"'{expression}' has no value: {err}") from err
        return _written(value)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _finite(float(number))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _OPERATORS:
            return _finite(_OPERATORS[type(kind)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
            return _finite(float(_FUNCTIONS[name](_value(inner))))
    raise ValueError(f"'{ast.unparse(node)}' is no arithmetic that is known here")


def _finite(value: float) -> float:
    if not -_LARGEST < value < _LARGEST:
        raise ArithmeticError("it is too large")
    return value


def _written(value: float) -> str:
    if value == int(value) and abs(value) < 10**_MOST_DIGITS:
        return str(int(value))
    return f"{value:.{_MOST_DIGITS}g}"
