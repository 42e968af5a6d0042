"""A customer function as an example: may this customer buy on account, and up to which amount?

It belongs to whoever uses Stagebell, not to Stagebell: it is deployed by itself, and needs nothing but Python. The
limits would come from your accounting; here they stand in a table.
"""

from decimal import Decimal
from typing import Any

LIMITS = {"gold": Decimal(50_000), "basic": Decimal(5_000)}


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    """Null leaves the record as it is. `event["id"]` is the same at every attempt, for functions that do something that
    may be done only once."""
    amount = event["record"]["fields"].get("amount")
    if amount is None:
        return None
    limit = LIMITS.get(event["parameters"].get("tier"), Decimal(0))
    approved = Decimal(amount) <= limit
    return {
        "set": {"credit": "Approved" if approved else "On hold", "credit_limit": str(limit)},
        "message": f"{amount} of {limit} on account",
    }
