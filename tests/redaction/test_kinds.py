"""Kinds of secrets in texts, and that every text takes linear time."""

from __future__ import annotations

import time

import pytest

from kedro_journal.redaction import Redactor

CASES = [  # a text, the secret in it or None, and what must stay
    ("mysql -u root -pS3cr3t!x -h db", "S3cr3t!x", "-h db"),
    ("mysqldump --user=a -p'S3cr3t!x' db", "S3cr3t!x", "db"),
    ("docker login -u bob -p Tr0ub4dor registry.io", "Tr0ub4dor", "registry.io"),
    (
        "['docker', 'login', '-u', 'bob', '-p', 'Tr0ub4dor', 'registry.io']",
        "Tr0ub4dor",
        "registry.io",
    ),
    ("docker run -p 8080:80 nginx", None, "8080:80"),
    ("mkdir -p /data/out && mongo -p hunter2x", "hunter2x", "/data/out"),
    (
        "vault login hvs-somethingLong12345678901234",
        "hvs-somethingLong12345678901234",
        "vault",
    ),
    ("git config user.password Blau7!x", "Blau7!x", "git config"),
    (
        "npm config set //registry.npmjs.org/:_authToken abcd1234efgh5678",
        "abcd1234efgh5678",
        "registry.npmjs.org",
    ),
    (
        "poetry config pypi-token.pypi abcd1234EFGH5678xyz",
        "abcd1234EFGH5678xyz",
        "poetry",
    ),
    ("poetry config http-basic.foo bob hunter22", "hunter22", "bob"),
    ("dvc remote modify --local myremote password hunter22", "hunter22", "myremote"),
    ("rabbitmqctl add_user etl Wabbit-9", "Wabbit-9", "etl"),
    ("htpasswd -b /etc/htpasswd bob Wabbit-9", "Wabbit-9", "bob"),
    ("sqlcmd -S host -U sa -P Wabbit-9 -Q 'select 1'", "Wabbit-9", "select 1"),
    ("openssl pkcs12 -in a.p12 -passin pass:Wabbit-9 -out x", "Wabbit-9", "a.p12"),
    ("zip -P Wabbit-9 out.zip a.csv", "Wabbit-9", "out.zip"),
    ("7z x -pWabbit9 out.7z", "Wabbit9", "out.7z"),
    ("ldapmodify -D cn=admin -w Wabbit9 -f x.ldif", "Wabbit9", "x.ldif"),
    ("gh secret set TOKEN --body Wabbit-9 --repo a/b", "Wabbit-9", "a/b"),
    ("aws configure set region eu-central-1", None, "eu-central-1"),
    ("git config user.name Bob", None, "Bob"),
    ("smbclient //h/s -U bob%Wabbit-9", "Wabbit-9", "bob"),
    ("lftp -u bob,Wabbit-9 host", "Wabbit-9", "bob"),
    ("PWD={a;b}}c};Server=x", "a;b}}c", "Server=x"),
    ('Driver={ODBC Driver 18};Pwd="x""y;z";Uid=u', "y;z", "Uid=u"),
    ("Driver={ODBC Driver 18};Server=x", None, "{ODBC Driver 18}"),
    ('{"password": "", "user": "bob"}', None, '"user": "bob"'),
    ('{"password":"","user":"bob"}', None, '"user":"bob"'),
    ('<entry key="db.password">Wabbit-9</entry>', "Wabbit-9", "entry"),
    ('<string name="api_key">abcd1234efgh</string>', "abcd1234efgh", "string"),
    ("<name>port</name><value>5432</value>", None, "5432"),
    ("<name>ssl.key.password</name>\n  <value>Wabbit-9</value>", "Wabbit-9", "value"),
    (
        "env:\n- name: X\n  value: 3\n- value: Wabbit-9\n  name: DB_PASSWORD",
        "Wabbit-9",
        "value: 3",
    ),
    ('[{"Value": "Wabbit-9", "Name": "DB_PASSWORD"}]', "Wabbit-9", "Name"),
    ('environment=[{"name": "DB_PASSWORD", "value": "Wabbit-9"}]', "Wabbit-9", "name"),
    ("localhost:5432:*:bob:pa55:w0rd", "pa55:w0rd", "localhost"),
    ("*:*:*:bob:Wabbit-9", "Wabbit-9", "bob"),
    ("module.py:1234:main:ERROR:message", None, "message"),
    ("2024-05-17 09:15:00:INFO:root:hello", None, "hello"),
    (
        "token\n  Input should be a valid integer [type=int_parsing, input_value='a1b2c3d4e5', input_type=str]",
        "a1b2c3d4e5",
        "Input should",
    ),
    (
        "columns\n  Input should be a valid integer [type=int_parsing, input_value='price', input_type=str]",
        None,
        "price",
    ),
    (
        "b'GET / HTTP/1.1\\r\\nX-Api-Key: abcd1234efgh\\r\\nHost: x\\r\\n'",
        "abcd1234efgh",
        "Host: x",
    ),
    (
        "b'x\\r\\nCookie: sid=abc123def456; lang=en\\r\\nHost: x\\r\\n'",
        "abc123def456",
        "lang=en",
    ),
    ("Proxy-Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", "Proxy"),
    (
        'Authorization: OAuth oauth_consumer_key="abc", oauth_signature="Zx8%2Bkk%3D", oauth_version="1.0"',
        "Zx8%2Bkk%3D",
        'oauth_version="1.0"',
    ),
    ("Authorization: token abcd1234efgh5678", "abcd1234efgh5678", "Authorization"),
    (
        "https://api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz012345678/getMe",
        "AAabcdefghijklmnopqrstuvwxyz012345678",
        "getMe",
    ),
    (
        "https://mainnet.infura.io/v3/9aa3d95b3bc440fa88ea12eaa4456161",
        "9aa3d95b3bc440fa88ea12eaa4456161",
        "infura",
    ),
    ("https://x.io/reset/Zk39dkLs93kdLsk39dkLs9", "Zk39dkLs93kdLsk39dkLs9", "reset"),
    (
        "https://x.io/v2/docs/introduction-to-the-thing",
        None,
        "introduction-to-the-thing",
    ),
    (
        "https://api.weather.com/x?lat=3&app_id=015d97ac41d6a5776a348db7ebd528be",
        "015d97ac41d6a5776a348db7ebd528be",
        "lat=3",
    ),
    ("https://x.io?run_id=015d97ac41d6a5776a348db7ebd528be", None, "015d97ac"),
    ("contraseña: Wabbit-9", "Wabbit-9", "contra"),
    ("clave_api=abcd1234", "abcd1234", "clave_api"),
    ("mot de passe : Wabbit-9", "Wabbit-9", "mot de passe"),
    ("Clé API: abcd1234efgh", "abcd1234efgh", "API"),
    ("senha do banco: Wabbit-9", "Wabbit-9", "senha"),
    ("API-Schlüssel: abcd1234efgh", "abcd1234efgh", "API"),
    ("Password for user etl: must be changed", None, "must be changed"),
    ("Schlüssel: Kunde", None, "Kunde"),
    ("chave_primaria=id", None, "id"),
    ("mysql+pymysql:/root:Wabbit-9@h/x", "Wabbit-9", "@h/x"),
    ("could not connect etl:Wabbit-9@db:5432/x", "Wabbit-9", "db:5432"),
    ("python:3.11-slim@sha256:abc", None, "3.11-slim"),
    (
        "arn:aws:ssm:eu-central-1:1:parameter/x arn:aws:secretsmanager:eu:1:secret:db-password:password::",
        None,
        "db-password",
    ),
    ("password: !secret db_password", None, "db_password"),
    ("password: op://vault/item/field", None, "op://vault/item/field"),
    ("password: ${DB_PASSWORD}", None, "DB_PASSWORD"),
    ("secretKeyRef:\n  name: db-secret\n  key: password", None, "db-secret"),
    ("bob:$apr1$abcdefgh$ijklmnopqrstuvwxyz0123", "ijklmnopqrstuvwxyz0123", "bob"),
    (
        "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=abc/def+ghi1234567890abcdefghij==;EndpointSuffix=core.windows.net",
        "abc/def",
        "EndpointSuffix=core.windows.net",
    ),
    (
        "CONNECTION_STRING=Server=db.x;Database=y;User Id=bob;Password=Wabbit-9;Encrypt=True",
        "Wabbit-9",
        "Server=db.x",
    ),
    ("credentials = {'a': 'x', 'p': 'hunter2', 'host': 'db.x'}", "hunter2", "db.x"),
    ("REDIS_URL=redis://:Wabbit-9@cache:6379/0", "Wabbit-9", "cache:6379/0"),
    ("dsn=postgresql://u:Wabbit-9@h/d?sslmode=require", "Wabbit-9", "sslmode=require"),
    (
        'Content-Disposition: form-data; name="user"\r\n\r\nbob\r\n--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\nabcd1234\r\n--b--',
        "abcd1234",
        "bob",
    ),
    ("wandb login", None, "wandb login"),
    ("wandb login --relogin 2>&1", None, "--relogin"),
    ("ansible-playbook x.yml --extra-vars 'vault_pass=r00t-Zq!'", "r00t-Zq!", "x.yml"),
    (
        "az storage blob list --account-name acme --account-key abc/def+ghi1234567890abcdefghij==",
        "abc/def",
        "acme",
    ),
    ("Set-Cookie: sessionid=abc; Path=/; HttpOnly", "abc;", "Path=/"),
]
ADVERSARIAL = [
    *("value: ", "dsn=a=b;", ":", "cookie: a=b;", 'password="a""', "pwd={a}}", "a:1b@"),
    *("mysql -p", "docker login ", "name: a\\n", "<name>a</name>", "<a name='x' "),
    *('form-data; name="a"\\n', "a\\n input_value=", "a:1234:b:c:", "postgres//a:"),
    *(
        "/v2/" + "a" * 30,
        ":$6$",
        "arn:secret:",
        '{"',
        '"credentials": {"a": ',
        "mysql '",
    ),
    *("pwd={\n", "pwd=[a\n  b", "pwd: ({", "pwd={'\n"),
    *("authorization: digest a=b,", "password for ", "A1", " ", "=", "keytool -x "),
]


@pytest.mark.parametrize(("text", "secret", "kept"), CASES)
def test_a_kind(text: str, secret: str | None, kept: str) -> None:
    safe = Redactor().text(text)
    assert kept in safe
    if secret is None:
        assert safe == text
    else:
        assert secret not in safe


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_twice_the_text_takes_about_twice_the_time(unit: str) -> None:
    """Quadratic time would be sixteen times as much for four times the text."""
    redactor = Redactor()
    redactor.register("Zq7Wv9Xk3Lm5Np2R")

    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = 9.0
        for _ in range(2):
            begin = time.process_time()
            redactor.mask(text)
            best = min(best, time.process_time() - begin)
        return best

    small = max(seconds(8_000), 0.001)
    assert seconds(32_000) < 10 * small


def test_names_with_blanks_of_the_user_are_found_in_texts() -> None:
    redactor = Redactor(["customer number"])
    assert "12345" not in redactor.text("The Customer Number: 12345")
    assert "A1" not in redactor.text('{"customer number": "A1"}')
    assert redactor.text("The number: 12345") == "The number: 12345"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        # Beside what stays as a call, a result, a sentence or a type.
        ("password = kq2Lm9(Np4)", "kq2Lm9"),
        ("password = connect('kq2Lm9Np')", "kq2Lm9Np"),
        ("password = Foo(x) kq2Lm9Np", "Foo(x)"),
        ("password=Passw(ord)", "Passw(ord)"),
        ("PASS=471199 HOST=db", "471199"),
        ("pass: hunter2, total=3", "hunter2"),
        ("The secret: kq2Lm9Np", "kq2Lm9Np"),
        ("the password: practice", "practice"),
        ("password: int = 'kq2Lm9Np'", "kq2Lm9Np"),
        ("password: enabled4711", "enabled4711"),
        ("db:\n  password:\n    kq2Lm9Np\n  host: db", "kq2Lm9Np"),
        ("db:\n  password:\n    'kq2 Lm9Np'\n", "kq2 Lm9Np"),
        ("db:\n  password:\n    kq2:Lm9Np\n", "kq2:Lm9Np"),
        ("curl -sS -uetl:kq2Lm9Np https://host/x", "kq2Lm9Np"),
        ("auth=('etl', 'two words')", "two words"),
        ("fs.azure.account.key.lake.dfs.core.windows.net=Zm9vYmFyYmF6cQ==", "Zm9vYm"),
    ],
)
def test_what_resembles_the_harmless_is_masked(text: str, secret: str) -> None:
    assert secret not in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "password:\n  host: db",
        "password:\n- one\n- two",
        "    token = client.refresh(token)\n    return token",
        "PASS=11 WARN=0 ERROR=1",
        "part-00000-3f9a1c2e-8b7d-4c6e-9f01-2a3b4c5d6e7f-c000.snappy.parquet",
        "gpg: passphrase for key 'x' is required",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().text(text) == text
