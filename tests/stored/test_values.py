"""The stored form of values of user code: what comes back, and what is refused by name."""

from __future__ import annotations

import json
import socket
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from ipaddress import ip_address, ip_network
from math import inf, isnan, nan
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, Secret, SecretBytes, SecretStr, create_model

from agentgraph.exceptions import UserError
from agentgraph.stored.values import (
    NotReadable,
    NotStorable,
    Stored,
    class_path,
    classes_in,
    decode,
    encode,
)
from tests.stored import program_classes as program

CLASSES = classes_in(
    *(cls for cls in vars(program).values() if isinstance(cls, type)), program.Box[int]
)

NUMBERS = st.integers() | st.floats()
LEAVES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.text(st.characters())
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([*program.Grade, *program.Level, program.Colour.RED, program.Right(3)])
    | st.builds(program.Point, st.integers(), st.floats(allow_nan=False))
    | st.builds(program.Markup, st.text())
)
HASHABLE = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, inner)
        | st.frozensets(inner, max_size=3)
        | st.builds(program.Frozen, st.tuples(st.integers()), st.datetimes())
    ),
    max_leaves=4,
)
KEYS = st.text() | st.just("$type") | HASHABLE
VALUES = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.tuples(inner)
        | st.builds(program.Item, title=st.text(), anything=inner)
        | st.builds(program.Line, st.text(), st.decimals(allow_nan=False))
    ),
    max_leaves=8,
)


def through_json(value: Any, types: Any = CLASSES) -> Any:
    text = json.dumps(encode(value), allow_nan=False, ensure_ascii=False)
    return decode(json.loads(text.encode().decode()), types)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = through_json(value)
    assert type(again) is type(value)
    assert encode(again) == encode(value)
    if "nan" not in repr(value):
        assert again == value


@given(VALUES)
def test_a_value_stored_again_without_its_classes_has_the_same_form(value: Any) -> None:
    assert encode(through_json(value, None)) == encode(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "$type"), inner)
        ),
    )
)
def test_json_data_is_its_own_stored_form(value: Any) -> None:
    assert encode(value) == value
    assert json.dumps(encode(value)) == json.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        {"$type": "model", "class": "os.system", "fields": {}},
        {"$type": {"$type": "tuple"}},
        {1: "int", "1": "text", (1, 2): "pair", None: 0, 1.5: {"$type": 1}},
        {"\ud800": "half of a pair", "x": "\ud83d\ude00"},
        [-0.0, inf, -inf, 2**64],
        (1, [2, (3,)], {"a": ()}),
        {frozenset({1, 2}): {3, "3"}},
        bytearray(b"\x00"),
        Counter("hello"),
        OrderedDict(b=1, a=2),
        ip_address("::1"),
        ip_network("10.0.0.0/8"),
        PurePosixPath("a/b"),
        Path("a"),
        AnyUrl("https://a.example/b?c=d"),
        Decimal("-Infinity"),
        Decimal("1.50"),
        UUID(int=3),
        datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, seconds=7))),
        datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None, fold=1),
        time(1, tzinfo=ZoneInfo("Asia/Tokyo")),
        date.min,
        timedelta.max,
        program.Colour.ORDER,
        program.Right.READ | program.Right.WRITE,
        program.Old(1, "b"),
        program.Cents(7),
        program.Tags(["a"]),
        program.Checked(Decimal(3)),
        program.Counted("a"),
        program.Doubled(text="ab"),
        program.Box[int](content=3),
        program.Box[Any](content=program.Point(1)),
        program.Many([1, 2]),
        program.Open(name="a", more={"b": (1,)}),
        program.Report(Items=[program.Item(title="a")], colours={program.Colour.RED: 1}),
        program.Report(link="https://a.example/"),
        program.Line("a", Decimal(1), parts=[program.Line("b", Decimal(2))]),
        program.Item.model_construct(line=program.Line("no title", Decimal(1))),
    ],
)
def test_a_special_value_comes_back_equal_and_of_its_class(value: Any) -> None:
    types = {**CLASSES, class_path(program.Box[Any]): program.Box[Any]}
    again = through_json(value, types)
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value) or isinstance(value, dict | frozenset | set)
    assert vars(again) == vars(value) if hasattr(value, "__dict__") else True


def test_an_integer_of_any_length_comes_back() -> None:
    assert through_json([10**5000, -(10**5000)]) == [10**5000, -(10**5000)]


def test_nan_comes_back_as_nan() -> None:
    assert isnan(through_json(nan))
    assert through_json(Decimal("sNaN7")).is_snan()


def test_a_time_keeps_its_zone_and_the_second_of_two_equal_hours() -> None:
    moment = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    again = through_json(moment)
    assert again.tzinfo is moment.tzinfo
    assert again.utcoffset() == timedelta(hours=1)


def test_a_dictionary_keeps_the_order_of_its_keys() -> None:
    assert list(through_json({"b": 1, "a": 2})) == ["b", "a"]
    assert list(through_json({2: 1, 1: 2})) == [2, 1]


def test_equal_sets_have_one_form() -> None:
    numbers = [1, 257, 513, 8, 1 << 20]  # they collide, so each order of adding iterates otherwise
    assert encode(set(numbers)) == encode(dict.fromkeys(reversed(numbers)).keys() | set())


def test_what_a_program_did_not_set_in_a_model_stays_unset() -> None:
    again = through_json(program.Report(made=None))
    assert again.model_fields_set == {"made"}
    assert through_json(program.Open(x=1)).model_fields_set == {"x"}


def test_a_model_keeps_private_attributes_and_works_out_cached_ones_again() -> None:
    model = program.Remembering(text="a")
    model._asked = 3
    model._notes.append("b")
    assert model.shout == "A"
    again = through_json(model)
    assert (again._asked, again._notes, again.shout) == (3, ["b"], "A")
    assert "shout" not in json.dumps(encode(model))


def test_private_attributes_at_their_defaults_are_there_again() -> None:
    again = through_json(program.Remembering(text="a"))
    assert (again._asked, again._notes) == (0, [])


def test_a_read_value_shares_nothing_with_its_form() -> None:
    form = encode({"a": [1]})
    decode(form)["a"].append(2)
    assert form == {"a": [1]}


@pytest.mark.parametrize(
    ("secret", "mask"),
    [
        (SecretStr("hunter2"), "**********"),
        (SecretBytes(b"hunter2"), b"**********"),
        (Secret[str]("hunter2"), "**********"),
    ],
)
def test_a_secret_is_stored_as_a_mask(secret: Any, mask: object) -> None:
    assert "hunter2" not in json.dumps(encode([secret]))
    assert "aHVudGVyMg" not in json.dumps(encode([secret]))
    [again] = through_json([secret])
    assert again.get_secret_value() == mask
    assert type(again) is type(secret)


def test_secrets_and_excluded_fields_of_a_model_are_left_out() -> None:
    login = program.Login(user="a", password=SecretStr("hunter2"), token="hunter3")
    assert "hunter" not in json.dumps(encode(login))
    again = through_json(login)
    assert (again.user, again.token) == ("a", "")
    assert again.password.get_secret_value() == "**********"


def test_secrets_as_keys_are_refused_because_masks_are_all_equal() -> None:
    with pytest.raises(NotStorable, match="masked keys would be equal"):
        encode({SecretStr("a"): 1, SecretStr("b"): 2})


class _OtherZone(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(0)


def _rich() -> Any:
    money = program.Money(3)
    money.currency = "EUR"
    return money


def _circle() -> Any:
    circle: list[Any] = []
    circle.append([circle])
    return circle


def _deep() -> Any:
    value: Any = 0
    for _ in range(5_000):
        value = (value,)
    return value


@pytest.mark.parametrize(
    ("value", "path", "type_name"),
    [
        (lambda: print, "output", "builtins.builtin_function_or_method"),
        (lambda: {"a": [0, {"b c": object()}]}, "output.a[1]['b c']", "builtins.object"),
        (lambda: program.Item(title="", anything=(1, print)), "output.anything[1]", None),
        (lambda: program.Line("a", print), "output.price", None),  # type: ignore[arg-type]
        (lambda: {print: 1}, "output.keys()", None),
        (lambda: {"x": {print}}, "output.x{}", None),
        (lambda: [(number for number in range(3))], "output[0]", "builtins.generator"),
        (lambda: defaultdict(list), "output", "collections.defaultdict"),
        (_rich, "output", "tests.stored.program_classes.Money"),
        (lambda: ValueError("a"), "output", "builtins.ValueError"),
        (lambda: datetime(2026, 1, 1, tzinfo=_OtherZone()), "output", "datetime.datetime"),
        (lambda: SimpleNamespace(a=1), "output", "types.SimpleNamespace"),
        (lambda: program.Line, "output", "builtins.type"),
        (_circle, "output[0][0]", "builtins.list"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_place(
    value: Callable[[], Any], path: str, type_name: str | None
) -> None:
    with pytest.raises(NotStorable) as refused:
        encode(value(), "output")
    assert refused.value.path == path
    assert type_name is None or refused.value.type_name == type_name
    assert path in str(refused.value)
    assert "Use JSON data, a pydantic model or a dataclass" in str(refused.value)


def test_a_value_that_nests_too_deep_is_refused() -> None:
    with pytest.raises(NotStorable, match="100 levels deep"):
        encode(_deep())


def test_an_open_socket_is_named_by_its_place() -> None:
    with (
        socket.socket() as connection,
        pytest.raises(NotStorable, match=r"output\.items\[3\]\.socket of type socket\.socket"),
    ):
        encode({"items": [0, 1, 2, {"socket": connection}]}, "output")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (program.Line("a", Decimal(1)), {"name": "a", "price": Decimal(1), "parts": []}),
        (program.Item(title="a"), {"title": "a", "line": None, "anything": None}),
        (program.Colour.RED, "red"),
        (program.Colour.ORDER, "ORDER"),
        (program.Point(1), (1, 0.0)),
        (program.Markup("a"), "a"),
    ],
)
def test_a_class_that_the_program_does_not_supply_is_never_imported(
    value: Any, plain: object
) -> None:
    stored = through_json(value, None)
    assert type(stored) is Stored
    assert stored.class_path == class_path(type(value))
    read = {**stored.value, "grade": None} if isinstance(value, program.Line) else stored.value
    assert read == ({**plain, "grade": None} if isinstance(value, program.Line) else plain)  # type: ignore[dict-item]
    assert through_json(stored, CLASSES) == value


def test_a_stored_text_cannot_name_a_class_into_being() -> None:
    form = {"$type": "dataclass", "class": "antigravity.Anything", "fields": {}}
    assert decode(form) == Stored("antigravity.Anything", {}, form)


def test_a_function_may_supply_the_classes() -> None:
    asked: list[str] = []

    def classes(path: str) -> type[Any] | None:
        asked.append(path)
        return program.Point if path.endswith("Point") else None

    assert through_json(program.Point(1), classes) == program.Point(1)
    assert asked == ["tests.stored.program_classes.Point"]


def test_classes_are_collected_through_fields_unions_and_generics() -> None:
    class_at = classes_in(list[program.Report] | None, dict[str, program.Box[program.Point]])
    names = {cls.__name__ for cls in class_at.values()}
    assert {"Report", "Item", "Line", "Grade", "Colour", "Decimal", "Point"} <= names
    assert "list" not in {path.rpartition(".")[2] for path in class_at if "program" in path}


def test_two_classes_of_one_path_are_refused() -> None:
    first, second = (create_model("Same", __module__="m") for _ in range(2))
    with pytest.raises(UserError, match=r"m\.Same"):
        classes_in(first, second)


def test_a_model_with_a_new_field_that_has_a_default_still_reads() -> None:
    path = class_path(program.Item)
    form = {"$type": "model", "class": path, "fields": {"title": "a"}}
    assert decode(form, CLASSES) == program.Item(title="a")


@pytest.mark.parametrize(
    "form",
    [
        {"$type": "model", "class": class_path(program.Item), "fields": {"anything": 1}},
        {"$type": "dataclass", "class": class_path(program.Line), "fields": {"gone": 1}},
        {"$type": "dataclass", "class": class_path(program.Line)},
        {"$type": "enum", "class": class_path(program.Colour), "name": "BLUE"},
        {"$type": "derived", "class": class_path(program.Point), "value": "text"},
        {"$type": "datetime", "value": "yesterday"},
        {"$type": "datetime", "value": "2026-01-01T00:00:00", "zone": "Europe/Atlantis"},
        {"$type": "decimal", "value": "many"},
        {"$type": "bytes", "value": "?"},
        {"$type": "uuid"},
        {"$type": "dict", "items": [[[], 1]]},
        {"$type": "tuple", "items": 3},
        {"$type": "of next year", "value": 1},
        {"$type": None},
    ],
    ids=json.dumps,
)
def test_a_damaged_form_is_named_with_its_place(form: dict[str, Any]) -> None:
    with pytest.raises(NotReadable, match=r"output\.a\[1\]") as refused:
        decode({"a": [0, form]}, CLASSES, "output")
    assert refused.value.path == "output.a[1]"
