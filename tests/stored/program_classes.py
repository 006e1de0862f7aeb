"""Classes of a program, as its tools return them."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum, auto
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, PrivateAttr, RootModel, SecretStr
from pydantic import dataclasses as pydantic_dataclasses

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    ORDER = object()


class Grade(StrEnum):
    GOOD = "good"


class Level(IntEnum):
    LOW = 1


class Right(Flag):
    READ = auto()
    WRITE = auto()


class Point(NamedTuple):
    x: int
    y: float = 0.0


Old = namedtuple("Old", "a b")


class Markup(str):
    """Text that is safe to show."""


class Cents(int):
    """An amount."""


class Tags(list[str]):
    """Words."""


class Money(float):
    """An amount that carries its currency beside its value."""

    currency = ""


@dataclass
class Line:
    name: str
    price: Decimal
    grade: Grade = Grade.GOOD
    parts: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    values: tuple[int, ...]
    at: datetime | None = None


@dataclass
class Counted:
    """Its constructor changes what it is given, so it must not run twice."""

    text: str
    length: int = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.text + "!"
        self.length = len(self.text)
        self.seen = ["by the constructor"]


@pydantic_dataclasses.dataclass
class Checked:
    amount: Decimal


class Item(BaseModel):
    title: str
    line: Line | None = None
    anything: Any = None


class Report(BaseModel):
    model_config = ConfigDict(frozen=True)

    items: list[Item] = Field(default_factory=list, alias="Items")
    made: datetime | None = None
    link: HttpUrl | None = None
    colours: dict[Colour, int] = Field(default_factory=dict)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = ""


class Box(BaseModel, Generic[T]):
    content: T


class Many(RootModel[list[int]]):
    pass


class Login(BaseModel):
    user: str
    password: SecretStr
    token: str = Field(default="", exclude=True)


class Remembering(BaseModel):
    text: str
    _asked: int = PrivateAttr(default=0)
    _notes: list[str] = PrivateAttr(default_factory=list)

    @cached_property
    def shout(self) -> str:
        return self.text.upper()


class Doubled(BaseModel):
    """Its validator is not made to run twice."""

    text: str

    def model_post_init(self, _: Any) -> None:
        object.__setattr__(self, "text", self.text * 2)
