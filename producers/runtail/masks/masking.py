"""Keep secrets inside the worker: those it names by `mask`, and what is kept under their names.

What is replaced reads `***`, or `***name***`. Pure but for the registry, which belongs to the
process: changed under a lock, read without one.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import orjson

from runtail.masks.credentials import LONG_CHARS, STARS, Names
from runtail.masks.secret_forms import Form, clues_of, folded, forms_of, longest, pattern_of
from runtail_broker.records.standin import stand_in

MIN_SECRET_CHARS: Final = 6
"""Characters of a secret (bytes, if it is none in UTF-8); a shorter one would eat half a log."""
MAX_SECRET_CHARS: Final = 8192
MAX_SECRETS: Final = 1000
"""Secrets that a process may register; each costs every record a fraction of a microsecond."""

_MAX_DEPTH: Final = 200  # beyond it orjson does not write
_FIXED: Final = frozenset({"execution_id", "level", "kind"})
_LINE_CHARS: Final = 12  # of a secret of several lines, such as a private key; masked by itself
_USUAL: Final = '" e:t,_aonisrdlumpcghfyb0125.-{}vw346789kxjqz'  # in logs, the most usual first
_log = logging.getLogger("runtail")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The registered secrets of this process at one moment, ready to be looked for.

    Registering one costs nothing but a look at its own characters: patterns are made when a secret
    is met, and only for those that are.
    """

    names: dict[str, str]
    """What stands for each secret; the longest first."""
    clues: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Texts of which one is where a secret is, under a character that each of them contains."""
    forms: tuple[Form, ...] = ()
    longest: int = 0

    @classmethod
    def of(cls, names: dict[str, str]) -> Secrets:
        ordered = dict(sorted(names.items(), key=lambda pair: (-len(pair[0]), pair[0])))
        forms = tuple(form for secret in ordered for form in _forms(secret))
        clues = {clue for secret in ordered for clue in _clues(secret)}
        return cls(ordered, _by_rare_character(clues), forms, max(map(longest, forms), default=0))

    def may_be_in(self, seen: str) -> bool:
        """Whether a text in lower case may hold a secret."""
        # loops, because any() would cost as much as two clues; and a character is found ten times
        # faster than a text
        is_short = len(seen) < LONG_CHARS
        for character, clues in self.clues:
            if character in seen:
                for clue in clues:
                    if clue in seen if is_short else seen.rfind(clue) >= 0:
                        return True
        return False

    def pattern_in(self, text: str) -> re.Pattern[str] | None:
        """Find the secrets in *text* by this; None if it holds none."""
        seen = folded(text)
        if not self.may_be_in(seen):
            return None
        met = tuple(s for s in self.names if any(clue in seen for clue in _clues(s)))
        return _pattern(met)

    def stars(self, found: re.Match[str]) -> str:
        """Say what stands for the secret that was found."""
        seen = folded(found[0])
        met = (s for s in self.names if any(clue in seen for clue in _clues(s)))
        return next((self.names[s] for s in met if _pattern((s,)).fullmatch(found[0])), STARS)

    def mask(self, text: str) -> str:
        """Replace the secrets in *text*."""
        pattern = self.pattern_in(text)
        return text if pattern is None else pattern.sub(self.stars, text)


@lru_cache(maxsize=2 * MAX_SECRETS)
def _forms(secret: str) -> tuple[Form, ...]:
    return forms_of(secret)


@lru_cache(maxsize=2 * MAX_SECRETS)
def _clues(secret: str) -> frozenset[str]:
    return frozenset(clue for form in _forms(secret) for clue in clues_of(form))


@lru_cache(maxsize=256)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(pattern_of(form for secret in secrets for form in _forms(secret)))


_lock = threading.Lock()
# replaced as a whole, so that readers take no lock
_registered = Secrets({})
_refused: set[str] = set()


def mask(secret: str | bytes, name: str | None = None) -> bool:
    """Never let *secret* leave this process through runtail; False, and a warning, if refused.

    Masks it in every record encoded from now on, by any publisher of the process: as it is, and
    percent-, base64-, base64url-, hex- or JSON-escaped; `***`, or `***name***`, stands for it. Of
    a secret of several lines each long one is masked by itself too. Refused is what is shorter than
    MIN_SECRET_CHARS or longer than MAX_SECRET_CHARS, and more than MAX_SECRETS. Safe from any
    thread; never raises.
    """
    if not isinstance(secret, str | bytes | bytearray):
        return _refuse(f"a secret of type {type(secret).__name__}, expected str or bytes")
    text = secret if isinstance(secret, str) else bytes(secret).decode("utf-8", "surrogateescape")
    if not MIN_SECRET_CHARS <= len(text.strip()) <= MAX_SECRET_CHARS:
        expected = f"expected {MIN_SECRET_CHARS} to {MAX_SECRET_CHARS}"
        return _refuse(f"a secret of {len(text.strip())} characters, {expected}")
    stars = STARS if name is None else f"***{re.sub(r'[^A-Za-z0-9 _.:-]', '_', name)[:64]}***"
    lines = [line for line in text.splitlines() if _is_telling(line)]
    return _register(dict.fromkeys((text, text.strip(), *lines), stars))


def unmask_all() -> None:
    """Forget every secret, and what was refused; for tests."""
    global _registered
    with _lock:
        _registered = Secrets({})
        _refused.clear()


def secrets_now() -> Secrets:
    """Give the secrets that are registered by now."""
    return _registered


def mask_text(text: str) -> str:
    """Replace the registered secrets in *text*, and nothing else."""
    return _registered.mask(text)


def _register(names: dict[str, str]) -> bool:
    global _registered
    with _lock:
        if not names.keys() <= _registered.names.keys():
            if len(_registered.names) >= MAX_SECRETS:
                return _refuse(f"more than {MAX_SECRETS} secrets")
            _registered = Secrets.of(_registered.names | names)
    return True


def _by_rare_character(clues: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Gather *clues* under the character of each that is the rarest in logs."""
    gathered: dict[str, list[str]] = {}
    for clue in sorted(clues):
        gathered.setdefault(max(clue, key=_rarity, default=""), []).append(clue)
    return tuple((character, tuple(found)) for character, found in gathered.items())


def _rarity(character: str) -> int:
    place = _USUAL.find(character)
    return len(_USUAL) if place < 0 else place


def _is_telling(line: str) -> bool:
    return len(line.strip()) >= _LINE_CHARS and not line.startswith("-----")


def _refuse(what: str) -> bool:
    if what not in _refused and len(_refused) < MAX_SECRETS:
        _refused.add(what)
        _log.warning("runtail.mask refused %s: it is not masked", what)
    return False


class Masker:
    """Mask what a publisher sends: registered secrets, and credentials by their names.

    Safe from any thread; never raises. Doing it twice changes nothing more.
    """

    __slots__ = ("_names", "stand_in")

    def __init__(self, mask_keys: Iterable[str] = ()) -> None:
        """*mask_keys*: further names of credentials, as shell patterns (`iban`, `patient_*`)."""
        self._names = Names.of(mask_keys)
        self.stand_in = partial(stand_in, mask=self.text)

    def __call__(self, json: bytes) -> bytes:
        """Mask a record in JSON; what is no JSON is masked as a text."""
        return self._closely(json) if self.may_be_in(json) else json

    def may_be_in(self, json: bytes) -> bool:
        """Whether *json*, one record or some on a line each, may hold what is to be masked.

        False is a promise for each of these records; quick for most of them.
        """
        seen = json.lower().decode("utf-8", "replace")
        registered = _registered
        if registered.clues and registered.may_be_in(seen):
            return True
        return self._names.may_be_in(json, seen)

    def _closely(self, json: bytes) -> bytes:
        registered = _registered
        try:
            fields = orjson.loads(json)
        except orjson.JSONDecodeError:
            return self.text(json.decode(errors="backslashreplace")).encode()
        if not isinstance(fields, dict):
            return orjson.dumps(self._masked(fields, registered, 0))
        kept = {name: fields.pop(name) for name in _FIXED & fields.keys()}
        return orjson.dumps(kept | self._masked(fields, registered, 0))

    def text(self, text: str) -> str:
        """Mask a text that is sent by itself, such as the reason of an end."""
        return self._names.mask(_registered.mask(text))

    def _masked(self, value: Any, registered: Secrets, depth: int) -> Any:
        match value:
            case str():
                return self._names.mask(registered.mask(value))
            case None | bool():
                return value
            case int() | float():
                text = orjson.dumps(value).decode()
                masked = registered.mask(text)
                return value if masked == text else masked
        if depth >= _MAX_DEPTH:
            return "…"
        if isinstance(value, list):
            return [self._masked(item, registered, depth + 1) for item in value]
        return self._masked_fields(value, registered, depth)

    def _masked_fields(
        self, fields: dict[str, Any], registered: Secrets, depth: int
    ) -> dict[str, Any]:
        masked: dict[str, Any] = {}
        for name, value in fields.items():
            shown = self._names.mask(registered.mask(name))
            while shown in masked:
                shown += "_"
            if self._names.hold(name) and not (value is None or isinstance(value, bool)):
                masked[shown] = STARS
            else:
                masked[shown] = self._masked(value, registered, depth + 1)
        return masked


@lru_cache(maxsize=64)
def masker(mask_keys: tuple[str, ...] = ()) -> Masker:
    """Make the masker of a publisher with these settings, once."""
    return Masker(mask_keys)
