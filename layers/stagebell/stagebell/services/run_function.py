"""The action `run_function`: tells a function of the customer's about the record, and does what it answers.

The answer is judged before it is kept, and kept with the delivery before anything is done: an attempt that died in
between is carried on from there, and the function is not run again. It gets the same id at every attempt."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stagebell.contracts.answers import Answer, read_answer
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import DefinitionBroken, DeliveryRejected, InvalidInput, InvalidValue, Problem
from stagebell.domain.expressions import Sight, exact
from stagebell.domain.fields import Value, canonical
from stagebell.domain.objects import ObjectType
from stagebell.domain.paths import resolve
from stagebell.domain.runs import Run
from stagebell.ports.calls import Functions
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.deliver import Courier, Parcel, Receipt
from stagebell.services.sight import Sights

PAYLOAD_VERSION = 1
TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class RunFunction:
    sights: Sights
    courier: Courier
    functions: Functions

    def act(self, look: Look) -> Outcome:
        name = look.step.params["function"]
        document = self._document(name)
        rules = _Rules(name, self._kind(look), (document.get("sets") or {}).get(look.record.key.object) or ())
        told = self._told(look, name)

        def send(key: str) -> Receipt:
            payload = {"version": PAYLOAD_VERSION, "id": key, **told}
            answer = self.functions.invoke(document["arn"], payload, document.get("timeout") or TIMEOUT)
            return Receipt(answer=rules.judged(answer))

        parcel = Parcel(name, "", send, "quiet_import" if look.run.quiet else "")
        return self._outcome(look, self.courier.send(look, "function", parcel))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def _document(self, name: str) -> Mapping[str, Any]:
        document = self.sights.catalog.document("function", name)
        if document is None:
            raise DefinitionBroken(f"function {name} is not active: activate its definition, or name another one")
        return document

    def _kind(self, look: Look) -> ObjectType:
        return self.sights.catalog.schema[look.record.key.object]

    def _told(self, look: Look, name: str) -> dict[str, Any]:
        key = look.record.key
        return {
            "function": name,
            "record": {"object": key.object, "id": key.id, "fields": dict(look.view.after)},
            "run": look.run.id,
            "definition": look.run.definition,
            "step": look.step.name,
            "parameters": self._parameters(look),
        }

    def _parameters(self, look: Look) -> dict[str, Any]:
        written = look.step.params.get("parameters") or {}
        sight = self.sights.open(look, local=any(_is_template(value) for value in written.values()))
        return {name: self._parameter(value, look, sight) for name, value in written.items()}

    def _parameter(self, written: Any, look: Look, sight: Sight) -> Any:
        match written:
            case {"field": text}:
                path = resolve(text, look.record.key.object, self.sights.catalog.schema)
                if isinstance(path, str):
                    raise DefinitionBroken(f"a parameter of function {look.step.params['function']}: {path}")
                return sight.view.value(path)
            case {"template": text}:
                return sight.render(text)
        return written

    def _outcome(self, look: Look, delivery: Delivery) -> Outcome:
        outcome = self.courier.outcome([delivery], ())
        if delivery.state != "sent":
            return replace(outcome, why={"error": delivery.detail}) if delivery.detail else outcome
        answer = delivery.answer or {}
        why = {"message": answer["message"]} if answer.get("message") else None
        return replace(_done(look, answer.get("set") or {}), deliveries=outcome.deliveries, why=why)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the answer of a function may say of a record of this kind."""

    function: str
    kind: ObjectType
    allowed: Collection[str]

    def judged(self, answer: object) -> Mapping[str, Any] | None:
        """The answer with canonical values; raises DeliveryRejected, which says all that is wrong with it."""
        try:
            read = read_answer(answer)
            told = {"set": self._values(read), "message": read.message}
        except InvalidInput as error:
            wrong = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
            raise DeliveryRejected(f"the answer of function {self.function} cannot be used: {wrong}") from error
        return {key: value for key, value in told.items() if value} or None

    def _values(self, answer: Answer) -> dict[str, Value]:
        problems: list[Problem] = []
        found = {name: self._value(name, raw, problems) for name, raw in (answer.fields or {}).items()}
        if problems:
            raise InvalidInput(problems)
        return found

    def _value(self, name: str, raw: object, problems: list[Problem]) -> Value:
        field = self.kind.fields.get(name)
        if field is None or name not in self.allowed:
            reason = f"it may not set {name} of {self.kind.name}: `sets` in its definition does not list it"
            problems.append(Problem(f"set.{name}", "allowed", reason))
            return None
        try:
            value = canonical(field, exact(raw))
        except InvalidValue as error:
            problems.append(Problem(f"set.{name}", field.type, error.message))
            return None
        if value is None and field.required:
            problems.append(Problem(f"set.{name}", "required", f"{name} is required: it may not be emptied"))
        return value


def _is_template(written: Any) -> bool:
    return isinstance(written, Mapping) and "template" in written


def _done(look: Look, values: Mapping[str, Value]) -> Outcome:
    """What the answer sets. The function has run, whatever becomes of that."""
    record = look.record
    if values and not record.exists:
        return Outcome("acted", "record_deleted")
    differing = {name: value for name, value in values.items() if record.current.get(name) != value}
    if not differing:
        return Outcome("acted", "unchanged" if values else "")
    return Outcome("acted", deed=Deed(look.change(record, differing)))
