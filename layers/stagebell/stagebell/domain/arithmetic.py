"""Arithmetic on the numbers of fields: exact, in decimals, never in floats."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
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
    """The exact result. Only a quotient without end is rounded: of money to the currency's smallest unit, else to 20
    decimal places. Raises InvalidValue for a division by zero."""
    if operation == "divide":
        return _quotient(left, right, currency)
    return _EXACT[operation](left, right)


def _quotient(left: Decimal, right: Decimal, currency: str) -> Decimal:
    if not right:
        raise InvalidValue(f"{left} cannot be divided by zero")
    context = Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN, traps=[])
    quotient = context.divide(left, right)
    finest = min(EXPONENT, DIGITS - 1 - max(quotient.adjusted(), 0))
    if not context.flags[Inexact] and -_exponent(quotient) <= finest:
        return quotient
    places = _decimal_places(currency) if currency else finest
    return quotient.quantize(Decimal(1).scaleb(-max(places, 0)), context=context)


def _decimal_places(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _context() -> Context:
    return Context(prec=_PRECISION, traps=[Inexact])


_EXACT: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = MappingProxyType(
    {
        "add": lambda left, right: _context().add(left, right),
        "subtract": lambda left, right: _context().subtract(left, right),
        "multiply": lambda left, right: _context().multiply(left, right),
    }
)
