"""The file of alert rules: what is wrong in it is named with its line, and what was expected."""

from __future__ import annotations

import tomllib

import pytest
from tests.gateway.alerts.test_alerts import README

from runtail_gateway.alerts.file import InvalidRules, read_rules
from runtail_gateway.alerts.rules import MOST_FILE_BYTES, MOST_RULES, WHENS
from runtail_gateway.alerts.text import KNOWN_SECRETS

SECTION = README.read_text().split("\n## Alerts\n")[1].split("\n## ")[0]
EXAMPLE = SECTION.split("```toml\n")[1].split("```")[0]
ENVIRONMENT = {
    "RUNTAIL_ALERT_SECRET": "x" * 32,
    "CHAT_WEBHOOK": "https://chat.example.org/hooks/1",
}
FILE = """\
[webhook.ops]
url = "https://h.example/x"
secret_env = "RUNTAIL_ALERT_SECRET"

[[rule]]
when = "failed"

[[rule]]
name = "disk"
when = "text"
text = ["disk full"]
level = "error"
"""


def error_of(text: str) -> str:
    with pytest.raises(InvalidRules) as raised:
        read_rules(text.encode(), ENVIRONMENT)
    return str(raised.value)


def test_the_readmes_example_is_a_file_of_rules() -> None:
    rules = read_rules(EXAMPLE.encode(), ENVIRONMENT)
    assert [(rule.name, rule.to) for rule in rules.rules] == [
        ("failed", ("ops", "chat")),
        ("disk", ("ops", "chat")),
    ]
    assert rules.rules[0].silence_seconds == 900
    assert rules.mask_names == tuple(tomllib.loads(EXAMPLE)["mask"]["names"])


def test_the_readme_names_every_kind_of_rule_and_every_pattern_that_is_masked() -> None:
    rows = [row.split("`")[1] for row in SECTION.splitlines() if row.startswith("| `")]
    assert set(rows) == {"when", *WHENS}
    assert [text for text in KNOWN_SECRETS if f"`{text}`" not in SECTION] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"failed"', '"faild"', "line 6: when is 'faild', expected one of failed, stalled"),
        ('"failed"', '"failed"\nafter = "9m"', "line 7: 'after' is not known here, expected one"),
        ('"failed"', '"failed"\nrepeat = "9m"', "line 7: repeat goes with what can be over"),
        ('"failed"', '"stalled"\nafter = "9"', "line 7: after is '9', expected a time such as"),
        ('"failed"', '"slow"\ntimes = 1', "line 7: times is '1', expected a number from 1.1"),
        ('"failed"', '"failed"\nto = "chat"', "line 7: to names 'chat', expected one of ops"),
        ('"disk"', '"failed"', "line 5: two rules are named 'failed'"),
        ('"disk"', '"a/b"', "line 9: name is 'a/b', expected 1 to 64 letters"),
        ('["disk full"]', '["*"]', "line 11: text holds '*', expected at least 3 characters"),
        ('["disk full"]', "[]", "line 11: text is '[]', expected a text to look for"),
        ('"error"', '"fatal"', "line 12: level is 'fatal', expected some of debug, info"),
        ("https://h", "ftp://h", "line 2: url is no address, expected https://host/path"),
        ("https://h", "https://a:b@h", "line 2: url is no address"),
        ("RUNTAIL_ALERT_SECRET", "NONE", "line 3: secret_env is 'NONE', expected a variable"),
        ("secret_env", 'url_env = "X"\nsecret_env', "line 2: a webhook says where it is once"),
        ("secret_env", "# ", "line 1: no secret signs this webhook's messages"),
        ("[[rule]]", "[[rule]", "line 5: it is no TOML"),
        ("[webhook.ops]", "[webhooks.ops]", "line 1: 'webhooks' is not known here"),
    ],
)
def test_an_error_names_its_line_the_value_and_what_was_expected(
    old: str, new: str, told: str
) -> None:
    assert error_of(FILE.replace(old, new, 1)).startswith(told)


def test_a_secret_is_not_shown_in_an_error_nor_in_a_value() -> None:
    text = FILE.replace('url = "https://h.example/x"', 'url = "ftp://h.example/private"')
    assert "private" not in error_of(text)
    shown = repr(read_rules(FILE.encode(), ENVIRONMENT))
    assert "h.example/x" not in shown
    assert ENVIRONMENT["RUNTAIL_ALERT_SECRET"] not in shown


def test_how_much_a_file_may_hold_is_bounded() -> None:
    assert "expected at most" in error_of("#" * (MOST_FILE_BYTES + 1))
    rule = '[[rule]]\nname = "r{}"\nwhen = "failed"\n'
    head = FILE.partition("[[rule]]")[0]
    many = "".join(rule.format(n) for n in range(MOST_RULES))
    assert len(read_rules((head + many).encode(), ENVIRONMENT).rules) == MOST_RULES
    assert f"1 to {MOST_RULES} rules" in error_of(head + many + rule.format("x"))
