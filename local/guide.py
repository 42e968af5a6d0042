"""What to do next, ready to be pasted into a shell."""

from datetime import timedelta

from rich.console import Console

from local.stack import Stack
from local.webhooks import Source
from stagebell.domain.fields import short_instant
from stagebell.ports.clock import Clock

POST_A_CHANGE = """\
export STAGEBELL_URL={url}
export STAGEBELL_KEY={key}
export SOURCE_SECRET={secret}

body='{{"object": "incident", "id": "MINE-1", "type": "created", "occurred_at": "{now}", "fields":
  {{"incident_state": "New", "priority": "3 - Moderate", "active": true, "contact_type": "Phone"}}}}'
id=msg_$(openssl rand -hex 12); timestamp=$(date +%s)
hexkey=$(printf %s "${{SOURCE_SECRET#whsec_}}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')
signature=$(printf %s "$id.$timestamp.$body" |
  openssl dgst -sha256 -mac HMAC -macopt hexkey:$hexkey -binary | openssl base64 -A)
curl -i "$STAGEBELL_URL/v1/sources/{source}/changes" -H "content-type: application/json" \\
  -H "webhook-id: $id" -H "webhook-timestamp: $timestamp" -H "webhook-signature: v1,$signature" -d "$body"

sleep 5
curl "$STAGEBELL_URL/v1/deliveries?record=incident/MINE-1" -H "Authorization: Bearer $STAGEBELL_KEY"
"""


def show(console: Console, stack: Stack, key: str, source: Source, clock: Clock) -> None:
    console.print("\nPost a change of your own: an incident that nobody takes up, two e-mails a moment later.\n")
    print(post_a_change(stack, key, source, clock))


def post_a_change(stack: Stack, key: str, source: Source, clock: Clock) -> str:
    """The shell commands that sign and post a change, and ask what was sent because of it."""
    now = short_instant((clock.now() - timedelta(minutes=1)).replace(microsecond=0))
    return POST_A_CHANGE.format(url=stack.api_url, key=key, secret=source.secret, source=source.name, now=now)
