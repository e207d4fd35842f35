"""The forms of secrets in texts: key blocks, commands, protocols, webhooks, XML."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from .findings import (
    mask_basic,
    mask_named,
    mask_part,
    mask_pgpass,
    mask_segment,
    mask_spaced,
    mask_stated,
    mask_told,
    mask_word_value,
)
from .limits import REDACTED
from .names import PLACEHOLDER

__all__ = ["SHAPES", "Shape"]


class Shape(NamedTuple):
    """A known form of secrets in texts.

    Attributes:
        hints: Lower-case texts of which it always holds one: a cheap first look. A
            digit stands for any.
        pattern: Finds it. Compiled when its hint is met: most never are.
        replacement: What is put in its place.
    """

    hints: tuple[str, ...]
    pattern: str
    replacement: str | Callable[[re.Match[str]], str] = REDACTED

    def mask(self, text: str) -> str:
        """Return a text with what is found replaced."""
        return _compiled(self.pattern).sub(self.replacement, text)


_compiled: Final = functools.cache(re.compile)
_PLACE: Final = rf"(?:{PLACEHOLDER})"
_Q: Final = r"\\{0,8}['\"]?"  # a quote, perhaps escaped, or none
_REST: Final = rf"\1{REDACTED}"


SHAPES: Final = (
    Shape(
        (" is ", " was ", " ist ", " lautet ", " est "),
        r"(?i)\b((?:pass(?:word|wort|phrase|code)|token|secret|api[ _-]?key|pin"
        r"|mot de passe)(?: (?:is|was|ist|lautet|est) {1,4}['\"(]?))(\S{8,200})",
        mask_told,
    ),
    Shape(
        ("private key",),
        r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    Shape(
        ("begin ssh2 encrypted",),
        r"(?s)---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----.*?(?:---- END |\Z)",
    ),
    Shape(
        ("private-lines",),
        r"(?s)(Private-Lines: ?\d+).*?(?=Private-MAC|\Z)",
        rf"\1\n{REDACTED}\n",
    ),
    Shape(
        ("bearer",),
        r"(?i)\b(bearer(?:\s|%20|\+){1,8})(?!token\b|auth)[A-Za-z0-9+/=_.~\-]{8,}",
        _REST,
    ),
    Shape(
        ("basic",),
        r"(?i)\b(basic(?:\s|%20){1,8})([A-Za-z0-9+/_\-]{8,}=*)",
        mask_basic,
    ),
    # headers with one value; those with parts are masked by `headers`
    Shape(
        ("authorization",),
        r"(?i)(?:\b|(?<=\\[nrt]))((?:proxy-)?authorization)"
        r"(\\{0,8}['\"]?\s{0,8}[:=]\s{0,8}(?:[bfru]{0,2}\\{0,8}['\"])?+)(?![\s{(\[])"
        rf"(?!(?:[A-Za-z]{{1,20}} )?{_PLACE}['\"\s])"
        r"(?!(?:none|null|true|false)\b)(?![A-Za-z][\w\-]{1,30}\s{1,4}[\w\-]{1,60}=[^=\s])"
        r"[^\n'\"\\]+",
        rf"\1\2{REDACTED}",
    ),
    Shape(
        ("authorization",),
        r"(?i)(\(b?['\"](?:proxy-)?authorization['\"]"
        r",\s{0,4}b?['\"])[^\n'\"\\]+",
        _REST,
    ),
    # curl -u user:password, also as a list of arguments
    Shape(
        ("-u", "--user", "--proxy-user"),
        rf"((?:\s|['\"])(?:-u|-U|--user|--proxy-user){_Q}[ =,]{{1,4}}{_Q}"
        rf"[^\s:'\"]{{0,100}}:)(?!//|{_PLACE}(?:['\"\s]|\Z))(?:[^\s'\"\\]|(?<=['\"])[^'\"\\]+)+",
        _REST,
    ),
    # PowerShell
    Shape(
        ("convertto-securestring",),
        r"(?i)(convertto-securestring(?:\s{1,8}-(?:string|asplaintext|force)\b){0,3}"
        r"\s{1,8})(?![\s$(\-])(?:'[^'\n]+'|\"[^\"\n]+\"|\S+)",
        _REST,
    ),
    # messages that repeat a rejected key behind a colon
    Shape(
        ("api key", "access key", "secret key", "api_key"),
        r"(?i)(?P<lead>\b(?:api|access|secret)[ _]key\b[^\n:=]{0,80}"
        r"(?<!\bid)(?<!request)(?<!commit)(?<!hash)(?<!digest)(?<!checksum): ?)"
        r"(?P<value>[A-Za-z0-9+/=_\-]{20,400})(?=[\s.,;)'\"]|\Z)",
        mask_segment,
    ),
    # netrc
    Shape(
        ("machine",),
        r"(?i)(\bmachine\s{1,8}\S{1,200}\s{1,8}"
        r"(?:(?:login|account)\s{1,8}\S{1,200}\s{1,8}){0,2}password\s{1,8})\S+",
        _REST,
    ),
    Shape(
        ("login",),
        r"(?i)(\blogin\s{1,8}\S{1,200}\s{1,8}password\s{1,8})(?!is\b|was\b|for\b)\S+",
        _REST,
    ),
    # Oracle: user/password@host
    Shape(
        ("jdbc:oracle", "sqlplus", "sqlldr", "expdp", "impdp"),
        r"(?i)((?:jdbc:oracle:(?:thin|oci\d?):|\b(?:sqlplus|sqlldr|expdp|impdp)\b"
        r"(?:\s{1,4}-\w{1,8}){0,3}\s{1,4}['\"]?)[\w$#]{1,60}/)(?!@)[^\s@'\"]{1,200}",
        _REST,
    ),
    Shape(
        ("@",),
        r"(?<![\w/.:\-])([A-Za-z][\w$#]{0,30}/)(?!/)[^\s/@'\",]{1,60}"
        r"(?=@(?://)?[A-Za-z0-9][\w.\-]{0,100}:\d{2,5}[/:]\w)",
        _REST,
    ),
    # IDENTIFIED BY of SQL
    Shape(
        ("identified by", "identified with"),
        r"(?i)(identified\s(?:by|with\s\w{1,40}\s(?:by|as))\s{1,4}(?:values\s)?)"
        r"(?:'(?:[^'\n]|'')+'|\"[^\"\n]+\"|[^\s;]+)",
        _REST,
    ),
    Shape(
        ("password",),
        r"(?i)(\bpassword\s{1,4})'(?:[^'\n]|'')+'",
        rf"\1'{REDACTED}'",
    ),
    Shape(
        ("secret", "token", "passphrase"),
        r"(?i)(?P<lead>\b(?P<name>(?:auth_|session_|bearer_)?token|secret|passphrase)"
        r"\s{1,4})'(?P<value>(?:[^'\n]|''){1,4096})'",
        mask_stated,
    ),
    Shape(
        ("set password",),
        r"(?i)(\bset\spassword\s(?:for\s\S{1,200}\s)?=\s?(?:password\()?)'(?:[^'\n]|'')+'",
        rf"\1'{REDACTED}'",
    ),
    # commands of protocols, as their clients log them
    Shape(
        ("auth plain", "auth login", "auth xoauth"),
        r"(\bAUTH (?:PLAIN|LOGIN|XOAUTH2?)\s)[A-Za-z0-9+/]{4,}={0,2}",
        _REST,
    ),
    Shape(("(auth ",), r"(\(AUTH (?:[^\s()]{1,100} )?)[^\s()]+(?=\))", _REST),
    Shape(
        ("'pass ", '"pass '),
        r"(['\"]PASS )[^'\"\n\\]{1,200}(?=['\"\\])",
        _REST,
    ),
    Shape(("login ",), r"(\bLOGIN \S{1,200} )\"[^\"\n]{1,200}\"", _REST),
    # NAME must be ... but it is 'value'
    Shape(
        (" is '", ' is "', " to '", ' to "', " was '", ' was "', " got '", ' got "'),
        r"(?P<lead>\b(?P<name>[A-Z][A-Z0-9_.]{2,60})['\"]?\)?\s[^'\"\n]{0,60}"
        r"\b(?:is|to|was|got)\s['\"])(?P<value>[^'\"\n]+)",
        mask_named,
    ),
    # .login("user", "password") and its relatives in source code
    Shape(
        (
            ".login(",
            "oracle.connect(",
            "oracledb.connect(",
            "basicauth(",
            "digestauth(",
        ),
        r"(?P<lead>(?:\.login|racle\.connect|racledb\.connect|BasicAuth|DigestAuth)\("
        r"\s{0,4}['\"][^'\"\n]{1,200}['\"],\s{0,4}(?P<quote>['\"]))[^'\"\n]{1,400}"
        r"(?=(?P=quote))",
        rf"\g<lead>{REDACTED}",
    ),
    # what urllib and http.client take for a port is the rest of a password
    Shape(
        ("nonnumeric port", "cast to integer value as", "invalid port"),
        r"(?i)((?:nonnumeric port|port could not be cast to integer value as"
        r"|invalid port):? ['\"])(?!\d{1,9}['\"])[^'\"\n]{3,400}(?=['\"@])",
        _REST,
    ),
    # auth=("user", "password"), as requests takes it
    Shape(
        ("auth",),
        r"(?i)(?P<lead>\bauth\\{0,4}['\"]?\s{0,4}[=:]\s{0,4}\(\s{0,4}\\{0,4}['\"][^'\"\n]{1,200}"
        r"\\{0,4}['\"],\s{0,4}(?P<quote>\\{0,4}['\"]))[^'\"\n\\]{1,400}"
        r"(?=(?P=quote)\s{0,4}\))",
        rf"\g<lead>{REDACTED}",
    ),
    # NAME value, as in properties of Spark
    Shape(
        ("key", "token", "secret", "passw", "pwd", "signature"),
        r"(?P<lead>(?P<name>(?:key|KEY|Key|token|TOKEN|Token|secret|SECRET|Secret|passw"
        r"|PASSW|pwd|PWD|[Ss]ignature)[\w.\-]{0,80})[ \t]{1,40})"
        r"(?P<value>[A-Za-z0-9+/=_\-]{20,400})(?=\s|\Z)",
        mask_spaced,
    ),
    # Webhooks: knowing the address is enough to post
    Shape(
        ("hooks.slack", "webhook", "hooks.zapier", "/hook", "ifttt"),
        r"(?i)((?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)"
        r"|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks"
        r"|[\w\-]{1,60}\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook"
        r"|hooks\.zapier\.com/hooks/catch|open-apis/bot/v2/hook|/hooks/catch"
        r"|with/key)/)[^\s'\"<>\\?#]+",
        _REST,
    ),
    Shape(
        ("/hooks/",),
        r"(/hooks/)[a-z0-9]{20,40}\b",
        _REST,
    ),
    Shape(
        ("pagerduty.com/integration/", "hc-ping.com/"),
        r"((?:pagerduty\.com/integration|hc-ping\.com)/)[A-Za-z0-9\-]{20,}",
        _REST,
    ),
    # Telegram and Oracle: knowing the path is enough to use it
    Shape(
        ("/bot",),
        r"(/bot\d{1,12}(?::|%3[aA]))[\w\-]{12,}",
        _REST,
    ),
    Shape(
        ("/p/",),
        r"(/p/)[\w\-]{20,}(?=/n/)",
        _REST,
    ),
    Shape(
        (
            *("/v0", "key/", "keys/", "token/", "tokens/", "/reset/", "_reset/"),
            *("-reset/", "wordreset/", "/invite/", "/inputs/", "/http/", "/secret/"),
            *("/auth/", "/webhook/", "/s/", "/verify/", "/magic/", "/share/"),
            *("/unsubscribe/", "/confirm/"),
        ),
        r"(?i)(?P<lead>/(?:v\d|(?:api[_\-]?|access[_\-]?|auth[_\-]?)?(?:key|token)s?"
        r"|(?:password[_\-]?)?reset|invite|inputs|http|secret|auth|webhook|s|verify"
        r"|magic|share|unsubscribe|confirm)/)(?P<value>[\w\-=.]{20,200})(?=[/?#\s'\"<>)]|\Z)",
        mask_part,
    ),
    # .pgpass: host:port:database:user:password
    Shape(
        (":",),
        r"(?P<lead>:(?:\d{4,5}|\*):[\w*$\-]{1,64}:[\w.@\-]{1,64}:)(?!//)[^\s'\"]+",
        mask_pgpass,
    ),
    # lines of htpasswd and shadow
    Shape(
        ("$",),
        r"(:)\$(?:apr1|1|2[abxy]|5|6|7|y|gy|argon2[a-z]{0,2}|scrypt)\$[^\s:'\"]{10,}",
        _REST,
    ),
    # URLs without their colon or slashes: postgres//user:password@host
    Shape(
        ("@",),
        r"(?<![\w/:.+\-])((?:[A-Za-z][\w+.\-]{1,30}(?:/{2}|:/))[\w.\-]{1,60}:)"
        r"(?!/)[^\s@'\"/]{1,100}(?=@[\w\[])",
        _REST,
    ),
    # user:password@host:port/ and user:password@host/database
    Shape(
        ("@",),
        r"(?<![\w/:.@%+\-])([A-Za-z][\w.\-]{0,60}:)(?=[^\s@:/'\",]{0,60}[\d!#$%^&*])"
        r"[^\s@:/'\",]{4,100}(?=@(?!sha\d)[A-Za-z0-9][\w.\-]{1,100}(?::\d{2,5}\b|/\w))",
        _REST,
    ),
    # Password for user etl: ...
    Shape(
        ("password", "passphrase", "passwort", "passe", "contrase", "senha", "wachtw"),
        r"(?i)(\b(?:password|passphrase|passwort|kennwort|mot de passe|contraseña"
        r"|senha|wachtwoord) (?:for|für|fuer|pour|para|per|voor|of|von|de|di|do) "
        r"(?:[^\n:;,.]{1,60}|(?:key |user )?'[^'\n]{1,200}'): ?)(?P<value>[^\s]+)"
        r"(?=\s*(?:\n|\Z))",
        mask_word_value,
    ),
    # messages of pydantic: the name, and a line below it the value
    Shape(
        ("input_value=",),
        r"(?m)(?P<lead>^(?P<name>[\w.\-]{1,80})\n[ ]{1,8}[^\n]{0,500}?\binput_value=)"
        r"(?P<value>[^\n]+?)(?=, input_type=|\]|\n|\Z)",
        mask_named,
    ),
    # form-data
    Shape(
        ("form-data",),
        r"(?i)(?P<lead>form-data;\s{0,4}name=\\{0,4}['\"](?P<name>[\w.\-\[\]]{1,80})"
        r"\\{0,4}['\"](?:(?:\r?\n|(?:\\r)?\\n)[A-Z][\w\-]{1,40}: [^\n\\]{1,200}){0,3}"
        r"(?:\r?\n|(?:\\r)?\\n){1,2})(?P<value>(?:(?!\r?\n--|(?:\\r)?\\n--)[^\n]){1,4096})",
        mask_named,
    ),
    # <name>X</name><value>Y</value>, <string name="X">Y</string>
    Shape(
        ("<",),
        r"(?i)(?P<lead><(?P<tag>name|key|id)>\s{0,8}(?P<name>[\w.\-]{1,80})\s{0,8}"
        r"</(?:name|key|id)>\s{0,20}<(?:value|string|val)>)(?P<value>[^<]+)",
        mask_named,
    ),
    Shape(
        ("<",),
        r"(?i)(?P<lead><[\w:\-]{1,40}\s(?:name|key|id)=\\{0,4}['\"](?P<name>[\w.\-]{1,80})"
        r"\\{0,4}['\"](?:\s[\w:\-]{1,30}=['\"][^'\"<>]{0,60}['\"]){0,3}\s?>(?:\s{0,20}<value>)?)"
        r"(?P<value>[^<>\s][^<>]*)(?=</)",
        mask_named,
    ),
    # - name: X, and the value on the next line
    Shape(
        ("value:",),
        r"(?i)(?P<lead>\b(?:name|key):\s{0,4}['\"]?(?P<name>[\w.\-]{1,80})['\"]?"
        r"[ \t]{0,8}(?:\n\s{0,40}|,\s{0,8})value:[ \t]{1,8}['\"]?)(?P<value>[^\n'\"]+)",
        mask_named,
    ),
    Shape(
        ("value:",),
        r"(?i)(?P<lead>\bvalue:[ \t]{1,8}['\"]?)(?P<value>[^\n'\"]{1,200})"
        r"(?=['\"]?\n\s{0,40}(?:name|key):\s{0,4}['\"]?(?P<name>[\w.\-]{1,80}))",
        mask_named,
    ),
    # <input name="password" value="...">, {"name": "TOKEN", "value": "..."}
    Shape(
        ("value",),
        r"(?i)(?P<lead>\b(?:name|key|id)\\{0,8}['\"]?\s{0,4}[=:]\s{0,4}\\{0,8}['\"]"
        r"(?P<name>[\w.\-]{1,80})\\{0,8}['\"][\s,]{1,8}(?:type=['\"]\w{1,20}['\"]\s)?"
        r"\\{0,8}['\"]?value\\{0,8}['\"]?\s{0,4}[=:]\s{0,4}\\{0,8}['\"])"
        r"(?P<value>[^'\"\\\n]+)",
        mask_named,
    ),
    Shape(
        ("value",),
        r"(?i)(?P<lead>['\"]value\\{0,8}['\"]\s{0,4}:\s{0,4}\\{0,8}['\"])"
        r"(?P<value>[^'\"\\\n]{1,4096})(?=\\{0,8}['\"],\s{0,8}\\{0,8}['\"](?:name|key)"
        r"\\{0,8}['\"]\s{0,4}:\s{0,4}\\{0,8}['\"](?P<name>[\w.\-]{1,80}))",
        mask_named,
    ),
)
