"""Web addresses as written. Whether plain http and private hosts may be called is for the stack to say."""

from typing import Annotated

from pydantic import StringConstraints

type WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@{}]+([/?][^\s#]*)?$", max_length=2_048)]
