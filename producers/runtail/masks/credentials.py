"""Tell credentials by the names under which they are kept, in data and in text. Pure.

`db_password`, `X-Api-Key`, `clientSecret` hold one; `token_count`, `tokens`, `monkey`,
`secret_santa_count` do not. When in doubt, a name that ends in such a word holds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

from runtail.masks.secret_forms import folded

STARS: Final = "***"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENDINGS: Final = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "jwt", "dsn"),
    *("credential", "credentials", "cookie", "cookies", "authorization", "passwords", "secrets"),
)
_OF_KEYS: Final = (
    *("api", "app", "access", "private", "secret", "session", "signing", "encryption", "master"),
    *("auth", "account", "shared", "ssh", "hmac", "subscription", "deploy", "license"),
)
_OF_TOKENS: Final = ("access", "refresh", "auth", "api", "bearer", "csrf", "xsrf", "personal")
_OF_PASS: Final = (
    *("db", "user", "mysql", "postgres", "pg", "smtp", "ftp", "redis", "admin", "root", "login"),
    *("database", "mail", "email", "proxy", "ssh", "http"),
)
_RUNS: Final = frozenset(
    {f"{kind}{noun}" for kind in _OF_KEYS for noun in ("key", "keys")}
    | {f"{kind}tokens" for kind in _OF_TOKENS}
    | {f"{kind}pass" for kind in _OF_PASS}
    | {"connectionstring", "connectionstr", "connstring", "connstr"}
)
# what is told about a credential is none
_ABOUT: Final = _words(
    "count counts length len size type types name names policy policies expiry expires expire "
    "expired expiration exp at age limit limits usage used ttl version enabled required valid "
    "invalid strength field fields budget rate cost price index idx id ids url uri endpoint file "
    "path dir status state error errors hint attempts retries retry ref arn provider scope scopes "
    "format algorithm location present missing set changed rotation created updated method source "
    "class label title kind mode reset total ms seconds in per policy_id position offset"
)
# a token of a text or of a page is none
_BEFORE_TOKEN: Final = _words(
    "per max min num n first last eos bos pad unk stop next prev page continuation sep cls special "
    "prompt completion has is no input output count"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_STEMS: Final = ("pass", "pwd", "secret", "token", "key", "jwt", "dsn", "credential", "cookie")
_MORE_STEMS: Final = ("authorization", "conn")
# what is looked for in a text in lower case, behind a letter that is rare and found at once
_CLUES: Final = (
    *(("k", "token"), ("k", "cookie"), ("k", "key"), ("j", "jwt"), ("w", "pwd"), ("z", "authoriz")),
    *(("c", "secret"), ("c", "credential"), ("c", "conn"), ("b", "bearer"), ("p", "pass")),
    ("d", "dsn"),
)
LONG_CHARS: Final = 2500
"""Characters of a text in which `rfind` finds words twice as fast as `in`; not in a shorter one."""
_PLAIN_VALUES: Final = frozenset({"none", "null", "true", "false", "nil", "undefined", STARS})
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.\-]{0,30}://[^\s/:@\"'<>\\]*:)[^\s/\"'<>\\]+@")
_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=[^\s\"',;]*\d|[^\s\"',;]{20})[A-Za-z0-9._~+/=\-]{6,}")
_HEADER = re.compile(
    r"(?i)(authorization\\{0,8}[\"']?\s{0,4}[:=]\s{0,4}\\{0,8}[\"']?)(?!\*\*\*)"
    r"(?:((?:bearer|basic|token|apikey|negotiate)\s+)[^\s\"',\\]+"
    r"|(?:digest|aws4)[^\r\n]*|[^\s\"',\\]+(?:\x20[^\s\"',\\]+)?)"
)
_COOKIE = re.compile(
    r"(?i)(cookie\\{0,8}[\"']?\s{0,4}[:=]\s{0,4}\\{0,8}[\"']?)(?=[^\r\n\"';=]{0,200}=)[^\r\n\"'\\]+"
)


@lru_cache(maxsize=4096)
def is_credential(name: str) -> bool:
    """Whether what is kept under *name* is a credential, by its words."""
    if len(name) > 200:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words:
        return False
    if any(_is_run(words, end) for end in range(1, len(words) + 1)):
        return words[-1] not in _ABOUT or words[-3:] == ["access", "key", "id"]
    for number, word in enumerate(words):
        if word.endswith(_ENDINGS) and not _is_mere_token(words, number):
            return words[-1] not in _ABOUT
    return False


def _is_run(words: list[str], end: int) -> bool:
    """Whether the word before *end*, alone or with the one before it, is a name such as apikey."""
    last = words[end - 1]
    pair = words[end - 2] + last if end > 1 else last
    return any(last.endswith(run) for run in _of_end(last)) or pair in _RUNS


@lru_cache(maxsize=4096)
def _of_end(word: str) -> tuple[str, ...]:
    return tuple(run for run in _RUNS if word.endswith(run))


def _is_mere_token(words: list[str], number: int) -> bool:
    return words[number] == "token" and number > 0 and words[number - 1] in _BEFORE_TOKEN


@dataclass(frozen=True, slots=True)
class Names:
    """What names hold credentials: the known ones and a worker's own patterns.

    A pattern is matched with the whole name as a shell does (`iban`, `patient_*`); case does not
    count, and `-` and a space count as `_`.
    """

    own: re.Pattern[str] | None
    stems: tuple[str, ...]
    """Of which each name that counts contains one, in lower case; may be empty texts."""
    keyed: re.Pattern[str]
    assigned: re.Pattern[str]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Names:
        """Know the usual names and *patterns*."""
        own = [_like_a_name(pattern) for pattern in patterns]
        stems = tuple(_longest_literal(pattern) for pattern in own)
        any_stem = "|".join(map(re.escape, (*_STEMS, *_MORE_STEMS, *filter(None, stems))))
        name = r"[\w.\-]{0,60}" if all(stems) else r"[\w.\-]{1,60}"
        stem = f"(?:{any_stem})" if all(stems) else ""
        return cls(
            re.compile("|".join(map(translate, own))) if own else None,
            stems,
            re.compile(rf"(?i){stem}[^\"'\\:=]{{0,60}}\\{{0,8}}[\"']?\s{{0,4}}[:=]"),
            re.compile(
                rf"(?i)(?<![\w.\-])(?P<name>[\w.\-]{{0,60}}?{stem}{name})"
                r"(?P<sign>(?P<quote>\\{0,8}[\"'])?\s{0,4}(?:=(?![=>])|:(?!//|=))\s{0,4})"
                r"(?P<value>b?(?P<open>\\{0,8}[\"']).{0,4096}?(?<!\\)(?P=open)|b?\\{0,8}[\"'][^\r\n]{0,4096}"
                r"|[^\s\"',;&|)}\]>\\]{1,4096})"
            ),
        )

    def hold(self, name: str) -> bool:
        """Whether what is kept under *name* is a credential."""
        if self.own is not None and self.own.match(_like_a_name(name)):
            return True
        return is_credential(name)

    def may_be_in(self, json: bytes, seen: str) -> bool:
        """Whether *json* may hold a credential; *seen* is *json* in lower case. Quick for most."""
        if "@" in seen and "://" in seen:
            return True
        has_clue = _has_clue(seen) if len(seen) < LONG_CHARS else _long_has_clue(seen)
        if not has_clue and not (self.stems and any(stem in seen for stem in self.stems)):
            return False
        return "bearer" in seen or any(map(self.hold, self._names(json.decode(errors="replace"))))

    def mask(self, text: str) -> str:
        """Replace passwords in addresses, headers, and values that follow a credential's name."""
        text = _URL.sub(rf"\1{STARS}@", text)
        text = _BEARER.sub(rf"\1{STARS}", _HEADER.sub(_header, text))
        return self._assignments(_COOKIE.sub(rf"\1{STARS}", text))

    def _names(self, json: str) -> Iterable[str]:
        """List what may be names in *json*, with and without the words before them."""
        for found in self.keyed.finditer(json):
            text = json[max(0, found.start() - 100) : found.end() - 1].rstrip(" \t\"'\\")
            name = re.split(r"[\"'{,&?;(\n]", text)[-1]
            yield name
            yield re.split(r"[^\w.\-]", name)[-1]

    def _assignments(self, text: str) -> str:
        parts, done, at = [], 0, 0
        while found := self.assigned.search(text, at):
            if self._is_mere_text(found):
                at = found.start("value")  # which may hold another name
                continue
            quote = found["open"] or ""
            parts += [text[done : found.start("value")], quote, STARS, quote]
            done = at = found.end()
        return "".join([*parts, text[done:]])

    def _is_mere_text(self, found: re.Match[str]) -> bool:
        if not self.hold(found["name"]) or found["value"].lower() in _PLAIN_VALUES:
            return True
        like_a_sentence = found["quote"] is None and found["open"] is None
        return like_a_sentence and "=" not in found["sign"] and not _is_strong(found["name"])


def _header(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2] or ''}{STARS}"


def _is_strong(name: str) -> bool:
    """Whether *name* is seldom followed by a colon in a sentence, unlike `token: expected …`."""
    seen = name.lower()
    return "pass" in seen or "pwd" in seen or seen.endswith("key") or "_" in seen


def _long_has_clue(seen: str) -> bool:
    return any(letter in seen and seen.rfind(clue) >= 0 for letter, clue in _CLUES)


def _has_clue(seen: str) -> bool:
    """Whether a text in lower case holds one of _CLUES."""
    # in this form because it is done for every call: a loop would take twice as long
    return (
        ("k" in seen and ("token" in seen or ("y" in seen and "key" in seen)))
        or (
            "c" in seen
            and (
                "secret" in seen
                or "credential" in seen
                or "conn" in seen
                or ("k" in seen and "cookie" in seen)
            )
        )
        or "pass" in seen
        or ("w" in seen and ("pwd" in seen or ("j" in seen and "jwt" in seen)))
        or "dsn" in seen
        or ("z" in seen and "authoriz" in seen)
        or ("b" in seen and "bearer" in seen)
    )


def _like_a_name(text: str) -> str:
    return folded(text).replace("-", "_").replace(" ", "_")


def _longest_literal(pattern: str) -> str:
    return max(re.split(r"[*?_]|\[[^\]]*\]", pattern), key=len)
