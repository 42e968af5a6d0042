"""Arithmetic on the numbers of fields: in decimals, never in floats."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from types import MappingProxyType
from typing import Literal, get_args

from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import DIGITS, EXPONENT

type Operation = Literal["add", "subtract", "multiply", "divide"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation.__value__)

_PRECISION = 3 * DIGITS + EXPONENT  # the sum and the product of any two field values are exact in it
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
"""Currencies (ISO 4217) whose smallest unit is no hundredth."""


def reckon(operation: Operation, left: Decimal, right: Decimal, currency: str = "") -> Decimal:
    """Sums are exact. Products and quotients are as exact as a number may be, 20 decimal places at most; of money, to
    the currency's smallest unit, or to the places that the old amount has where those are more.

    Raises InvalidValue for a division by zero."""
    if operation == "divide" and not right:
        raise InvalidValue(f"{left} cannot be divided by zero")
    context = Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN, traps=[])
    result = _OPERATORS[operation](context, left, right)
    return result if operation in ("add", "subtract") else _rounded(result, _places(result, left, currency), context)


def _places(result: Decimal, old: Decimal, currency: str) -> int:
    finest = max(min(EXPONENT, DIGITS - 1 - max(result.adjusted(), 0)), 0)
    return min(finest, max(_decimal_places(currency), -_exponent(old))) if currency else finest


def _rounded(number: Decimal, places: int, context: Context) -> Decimal:
    """With so many decimal places, unless it has no more of itself."""
    return number if -_exponent(number) <= places else number.quantize(Decimal(1).scaleb(-places), context=context)


def _decimal_places(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


_OPERATORS: Mapping[Operation, Callable[[Context, Decimal, Decimal], Decimal]] = MappingProxyType(
    {"add": Context.add, "subtract": Context.subtract, "multiply": Context.multiply, "divide": Context.divide}
)
