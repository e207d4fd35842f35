"""What stands where a secret would, and is none: words, names of variables, None."""

from __future__ import annotations

import re
from typing import Final

from .late import Late
from .names import PLACEHOLDER

__all__ = ["CODE", "NOTHING", "PROSE", "REFERENCE"]

NOTHING: Final = Late(
    r"(?:None|none|null|NULL|true|false|True|False|TRUE|FALSE|undefined|nil|NIL|YES|NO|ON|OFF|N/A|n/a|~|\*{3,}|\.{3}"
    r"|\[(?:REDACTED|FILTERED|MASKED|HIDDEN)\]|int|float|bool|enabled|disabled)"
    r"(?=[\s,;)\]}'\"<&]|\Z)"
)
PROSE: Final = Late(
    r"(?:must|is|was|are|were|has|have|should|not|cannot|the|a|an|expected|required"
    r"|requires|does|do|did|to|for|of|in|be|at|field|this|that|your|you|could|can|no"
    r"|value|string|given|got|found|and|or|with|from|enter|please|unexpected|only|may"
    r"|will|if|it|its|too|wrong|incorrect|failed|rejected|refused|expired|missing"
    r"|invalid|never|always|set|use|see|input|object|error|unable|unknown|names?|any"
    r"|all|by|as|on|raise|return|yield|assert|when|where|which|what|how|why|there|here)"
    r"(?:[.!]?(?=\Z|\n)|[,.]?[ ](?=[A-Za-z]))",
    re.IGNORECASE,
)
_ACCESS: Final = (
    r"(?:\.\w{1,60}|\[['\"]?[A-Za-z_][\w.\-]{0,60}['\"]?\]"
    r"|\((?:['\"][A-Za-z_][\w.\-:/]{0,80}['\"](?:,\s?None)?)?\))"
)
REFERENCE: Final = Late(
    r"(?:(?:await )?(?:os|environ|getenv|getpass|self|cls|config|cfg|conf|settings|args"
    r"|kwargs|params|parameters|credentials|creds|secrets|context|options|opts|request"
    r"|dbutils|keyring|env|process|ENV|System|row|data|tokenizer|boto3|session)"
    rf"{_ACCESS}{{1,6}}"
    r"|(?:[dD]ict|Mapping|Optional|[lL]ist|str|bytes|Any|object)"
    r"(?:\[[\w., \[\]|]{0,60}\])?"
    r"(?: \| None)?(?: =)?"
    r"|(?:op|vault|ssm|awssm|gcp-sm|azurekv|keyvault|secretsmanager|sm|kv)://?"
    r"[\w./\-]{1,200}"
    r"|![A-Za-z_]\w{0,30}(?::\w{1,30})? [\w./\-]{1,100}"
    r"|![A-Za-z]\w{0,30}[ \t]{0,4}[|>]?[+\-]?[ \t]{0,4}(?=\Z)"
    r"|(?:getpass(?:\.getpass)?|input|(?:click|typer)\.prompt|Prompt\.ask)"
    r"\((?:prompt=)?(?:['\"][^'\"\n]{0,100}['\"])?[^()\n'\"]{0,60}\)"
    r"|(?:ConvertTo|Get|New|Read|Import)-[A-Z][A-Za-z]{2,40}"
    rf"|{PLACEHOLDER})"
    r"(?=[\s,;)\]}'\"]|\Z)"
)
_PLAIN_NAME: Final = r"[A-Za-z_]{1,60}"
_INNER: Final = rf"(?:{_PLAIN_NAME}|\d{{1,4}}|[ ,.=*\[\]]){{0,60}}+"
CODE: Final = Late(
    rf"(?:await )?{_PLAIN_NAME}(?:\.{_PLAIN_NAME}){{0,5}}"
    rf"(?:\({_INNER}\)|\[(?:{_INNER}|['\"]{_PLAIN_NAME}['\"])\]){{1,3}}"
    r"[ \t]{0,8}(?=\n|\Z)"
)
"""A call or an index that fills the rest of a line of source code. Its names have no
digits, and there is no text in it but a key, so that it holds no value itself."""
