"""Word lists that decide whether a name stands for a secret. Data only.

A name is split into words, and its last word is its head: `token_url` is a URL,
`session_token` is a token. All words are lower case and singular.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AMBIGUOUS",
    "CODE_OWNERS",
    "DESCRIPTIONS",
    "DIRECTIONS",
    "GLUED_HEADS",
    "PUBLIC",
    "KEYS_OF_THINGS",
    "HARMLESS_PHRASES",
    "FOREIGN_OWNERS",
    "FOREIGN_LINKS",
    "FOREIGN_KEYS",
    "KEY_OWNERS",
    "KEY_OWNERS_BY_VALUE",
    "MODEL_TOKENS",
    "PASS_OWNERS",
    "PHRASES",
    "PROVIDERS",
    "QUALIFIERS",
    "QUANTITIES",
    "SECRETS",
    "STEMS",
    "STRONG",
    "SWITCHES",
    "TRANSPARENT",
    "VALUE_PHRASES",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


STRONG: Final = _set(
    """
    password passwd passphrase passcode passwort pwd pswd pword passkey secret
    credential cred kennwort contrasena contraseña senha parola wachtwoord heslo haslo
    hasło lozinka mdp parole salasana lösenord losenord пароль 密码 密碼 パスワード
    mnemonic apikey requirepass masterauth
    zugangsdaten anmeldedaten geheimnis geheimwort losungswort zugangscode
    kodewort codewort identifiants credenciales credenciais credenziali palavrapasse
    inloggegevens wachtzin wachtwoordzin toegangscode geheim segredo segreto secreto
    motdepasse kodeord adgangskode passord jelszo jelszó parool şifre sifre
    geslo salasona zaporka wachtwoorden contrasenya contrasinal
    """
)
"""Heads of secrets, also where an unknown word follows: `password_mysql`."""

SECRETS: Final = STRONG | _set(
    """
    token authorization bearer cookie dsn otp totp psk jwt webhook sas pw pass jeton
    dockerconfigjson dockercfg dockerconfig netrc pgpass pypirc
    """
)
"""Heads of secrets where they end a name, or where a known word follows."""

AMBIGUOUS: Final = _set(
    """
    auth oauth oauth2 pat pem sig signature salt pepper pfx p12 clave kubeconfig
    npmrc sessid jsessionid phpsessid sessionid
    """
)
"""Heads for which the value decides."""

KEY_OWNERS: Final = _set(
    """
    api access secret private priv encryption encrypt decryption decrypt signing sign
    ssh fernet hmac auth authentication authorization authtoken crypto cryptography
    cipher aes rsa ed25519 ecdsa gpg pgp jwt jws jwe jwk webhook deploy shared unseal
    security sse sas instrumentation role management symmetric csrf cookie licence
    bearer vault rapidapi apim wireguard wg preshared credential token crypt crypto
    encrypting decrypting xsrf seal sealing wrapping wrap totp hotp otp mfa
    blowfish 3des chacha aead plaintext
    """
)
"""Words before `key` with which it is a secret."""

KEY_OWNERS_BY_VALUE: Final = _set(
    """
    account session service license licence subscription app application storage
    master admin server client root tls ssl host functions function write read ingest
    ingestion ingress user customer maps bot anon publishable developer dev consumer
    site tenant project org organization registration node cluster db database iot
    device backup recovery activation product integration age routing gateway machine
    team insert restricted sa
    """
)
"""Words before `key` for which the value decides."""

KEYS_OF_THINGS: Final = _set(
    """
    project team org organization region node activity space issue group group_by tenant
    primary secondary
    """
)
"""Words before `key` with which a service names things by it: the value decides."""

PUBLIC: Final = _set("public pub publishable publish site verification verify")
"""Words before `key` with which it is meant to be seen."""

PASS_OWNERS: Final = _set(
    """
    become enable privilege ansible vnc rdp mqtt smb cifs socks tls ssl cert pkcs12
    user1 dba sa sys system svc master encryption decryption unlock backup archive
    db database user usr ftp sftp smtp imap mail email admin root proxy login my pg
    postgres mysql mongo redis rabbitmq amqp ldap http auth jenkins sudo ssh vpn sql
    oracle account service app client server api registry docker nexus key keystore
    truststore zip pdf wifi router bind sasl kafka elastic es neo4j snowflake
    """
)
"""Words before `pass` with which it is a secret."""

CODE_OWNERS: Final = _set(
    "auth authorization verification mfa otp recovery security 2fa totp sms unlock"
)
"""Words before `code` with which it is a secret."""

PHRASES: Final = (
    ("connection", "string"),
    ("connection", "str"),
    ("conn", "string"),
    ("conn", "str"),
    ("sql", "alchemy", "conn"),
    ("sqlalchemy", "conn"),
    ("airflow", "conn"),
    ("seed", "phrase"),
    ("recovery", "phrase"),
    ("secret", "phrase"),
    ("backup", "code"),
    ("client", "assertion"),
    ("jaas", "config"),
    ("keyfile", "json"),
    ("keyfile", "dict"),
    ("service", "account", "json"),
    ("service", "account", "info"),
    ("storage", "account", "key"),
    ("access", "key", "id"),
    ("webhook", "url"),
    ("webhook", "uri"),
    ("sas", "url"),
    ("sas", "uri"),
    ("signed", "url"),
    ("presigned", "url"),
    ("hook", "url"),
    ("vault", "secret", "id"),
    ("approle", "secret", "id"),
    ("user", "pin"),
    ("card", "pin"),
    ("security", "pin"),
    ("shared", "access", "signature"),
    ("security", "answer"),
    ("auth", "user", "info"),
    ("docker", "config", "json"),
    ("docker", "auth", "config"),
    ("registry", "auth", "config"),
    ("code", "verifier"),
    ("oauth", "verifier"),
    ("id", "token", "hint"),
    ("login", "token", "hint"),
    ("saml", "assertion"),
    ("mot", "de", "passe"),
    ("mots", "de", "passe"),
    ("mot", "passe"),
    ("phrase", "de", "passe"),
    ("code", "secret"),
    ("palavra", "passe"),
    ("palavra", "de", "passe"),
    ("palabra", "de", "paso"),
    ("frase", "de", "paso"),
    ("frase", "segreta"),
    ("código", "de", "acceso"),
    ("codigo", "de", "acceso"),
    ("mật", "khẩu"),
    ("mat", "khau"),
)
"""Words that mean a secret where they end a name together."""

VALUE_PHRASES: Final = (
    ("secret", "id"),
    ("database", "url"),
    ("database", "uri"),
    ("db", "url"),
    ("db", "uri"),
    ("jdbc", "url"),
    ("connection", "url"),
    ("connection", "uri"),
    ("broker", "url"),
    ("result", "backend"),
    ("mongo", "uri"),
    ("redis", "url"),
    ("token", "hash"),
    ("token", "file"),
    ("session", "cookie"),
    ("saml", "response"),
    ("device", "code"),
    ("pin", "code"),
    ("user", "code"),
)
"""Words for which the value decides, where they end a name together."""

HARMLESS_PHRASES: Final = (
    ("image", "pull", "secret"),
    ("existing", "secret"),
    ("pull", "secret"),
    ("tls", "secret"),
    ("detect", "secret"),
    ("parola", "chiave"),
    ("palavra", "chave"),
    ("palabra", "clave"),
    ("mot", "cle"),
    ("mot", "clé"),
    ("mot", "clef"),
    ("parole", "chiave"),
)
"""Words that mean a reference or a search term where they end a name together."""

FOREIGN_KEYS: Final = _set(
    """
    cle clé clef clave chave chiave llave clau schluessel schlüssel schlussel sleutel
    nyckel nøgle nokkel nøkkel avain klucz klíč klic ключ kulcs anahtar
    """
)
"""`key` in other languages; what it is for stands before or behind it."""

FOREIGN_LINKS: Final = _set("de d del da do di della dell dello la l le el o a van der")
"""Small words between a foreign word and what it is for."""

FOREIGN_OWNERS: Final = _set(
    """
    secrete secrète secreta secret secreto segreta segreto privee privée privada
    privata privat privater geheim geheimer geheime acces accès acceso acesso accesso
    zugriffs zugriff zugangs zugang toegangs toegang chiffrement dechiffrement cifrado
    encriptacion encriptación criptografia cifratura crittografia verschluesselungs
    verschlüsselungs verschluesselung verschlüsselung versleutelings signatur
    signature firma assinatura api licence license lizenz licencia licença licenca
    licenza maitre maestra mestra dienst hemlig tajny prywatny prive privé
    """
)
"""What a foreign key is for, where it is a secret."""

PROVIDERS: Final = _set(
    """
    openai anthropic claude azure aws amazon gcp google gemini cohere mistral groq
    pinecone wandb huggingface hf replicate stripe sendgrid twilio datadog dd mailgun
    mailchimp newrelic relic sentry algolia slack discord telegram github gitlab
    bitbucket cloudflare heroku digitalocean linode vultr okta auth0 pagerduty segment
    mixpanel amplitude posthog supabase firebase databricks snowflake comet neptune
    langsmith langchain langfuse tavily serpapi serper voyage together fireworks
    deepseek openrouter xai nvidia elevenlabs deepgram assemblyai weaviate qdrant
    alchemy infura etherscan binance coinbase kraken shopify square paypal braintree
    plaid airtable notion linear asana jira atlassian zendesk hubspot salesforce
    intercom postmark sparkpost vonage nexmo fastly netlify vercel render pulumi
    circleci travis jenkins sonar snyk codecov npm pypi docker quay rapidapi mapbox
    here tomtom openweather kaggle clearml ngc fred quandl polygon alphavantage
    finnhub meili meilisearch typesense cosmos cosmosdb eventhub servicebus eventgrid
    ghost grafana honeycomb logtail rollbar bugsnag launchdarkly split statsig
    unstructured llama jina perplexity stability cerebras
    """
)
"""Services: `openai_key` is a secret, `azure_session_key` as well."""

MODEL_TOKENS: Final = _set(
    """
    cls sep pad padding unk unknown mask masked masking bos eos eot eod eop sot
    special stop start end begin image img audio video vision speech max min num
    number n per word subword next first last prefix suffix middle separator boundary
    newline class additional extra added forced decoder encoder think thinking
    delimiter delim lang language placeholder fill blank ctc input output prompt
    completion text context document doc sentence total page continuation cancellation
    cancel sync nextpage pagination cursor reserved control unused dummy bracket
    keyword lexer parser punct instruction assistant tool ner pos sink register time
    patch grid visual latent query lowercase uppercase domain vocab oov eq error pseudo
    tik
    """
)
"""Words before `token` that belong to text, models and pagination."""

QUANTITIES: Final = MODEL_TOKENS | _set(
    """
    new used cached reasoning chunk seq sequence train training eval generated window
    avg average mean median sum count budget limit remaining available cost billed
    estimated accepted rejected draft batch epoch seen processed overlap think summary
    history response request message source target tgt src
    """
)
"""Words before `tokens` that make it a number or a list of pieces of text."""

SWITCHES: Final = _set(
    """
    use uses enable enabled disable disabled has is are require requires required
    needs show hide allow allows skip no without with should can ask num n count max
    min total avg mean validate verify check rotate generate include exclude ignore
    force
    """
)
"""First words of names of switches and numbers: the value decides."""

DIRECTIONS: Final = _set(
    """
    first second third forward backward band high low by one two single multi full
    final last next initial num n max min per test tests all early each every same
    """
)
"""Words before `pass` that make it a step."""

TRANSPARENT: Final = _set(
    """
    value string str text plain plaintext cleartext raw encrypted enc encoded b64
    base64 bytes binary confirm confirmation again repeat base fallback hash data json
    body content var
    """
)
"""Words that may follow a secret, which it stays: `secret_value`."""

QUALIFIERS: Final = _set(
    """
    prod production dev develop development test testing staging stage live sandbox
    main admin root read write ro rw readonly readwrite old new current previous next
    primary secondary default backup local remote internal external global shared a b
    c v us eu uk ap east west north south qa uat ci cd user override rotated legacy
    temp tmp beta alpha demo provided
    """
)
"""Words that may follow a secret and say which one it is: `token_prod`."""

DESCRIPTIONS: Final = _set(
    """
    url uri urls endpoint link href name names title label alias id ids uid uuid type
    kind format length len size min max minimum maximum age hint policy policies file
    filename files filepath path paths dir directory folder location place enabled
    enable disabled required optional count counts number num column columns col cols
    field fields feature features reset expiry expires expire expired expiration
    expiring ttl lifetime lifespan timeout delay history complexity strength regex
    regexp pattern validator validators validation validate hasher hashers hashing
    algorithm algo alg rounds iterations attempts retries retry change changed changes
    last rotation rotate rotated manager backend provider providers store storage
    version versions arn ref reference prompt placeholder protected command cmd env
    variable source sources scope scopes audience aud issuer realm domain domains
    header headers param params parameter parameters prefix suffix sep separator
    delimiter limit limits budget rate rates index idx indices mode method methods
    style template class cls func function fn hook handler callback service services
    server host hostname port region account username owner group status state valid
    validity verified is has at on date time timestamp duration days day hours hour
    minutes seconds ms ref refs year years month months week weeks
    refresh renew renewal cache caching rule rules schema spec specs config
    configs conf setting settings option options opts args kwargs loader parser
    counter mask masks probs prob logits embedding embeddings dim dims dropout
    usage used distribution frequency freq weight weights importance pruning merging
    mixing shift level levels position positions pos bucket buckets stream set sets
    map mapping vocab vocabulary table split splitter error errors exception warning
    mismatch missing failure failed invalid consent notice banner secure httponly
    samesite jar cutter crumb event events topic queue id_token ratio threshold
    strategy check checker checks checking generator generation engine mount namespace
    namespaces names scanner scanning detection detected present exists found
    available input form page view screen label visible visibility hidden toggle
    requirement requirements authentication auth_method flow grant grants exchange
    revoked revocation lookup per process processor processing classification
    classifier recognition ner tag tags tagging ids accuracy loss score scores f1
    model models similarity overlap stride window drop sampling sampler ordering order
    lock locked unlock lockout rotation_days created updated modified_at modified
    created_at updated_at encryption encoding charset charsets character characters
    chars digits alphabet entropy symbol symbols upper lower case description docs doc
    comment note help message msg text_column spaces registry resolver client ttls
    stdin interval period percent percentage pct cost costs price prices pricing merge
    merges unit units ns key_name sharing share import export sync list lists
    """
)
"""Heads that say something about a secret without being it."""

GLUED_HEADS: Final = (
    *("password", "passwd", "passphrase", "passcode", "passwort", "secret", "token"),
    *("credential", "apikey", "kennwort", "cookie", "webhook", "authorization"),
)
"""Heads that are written together with the word before: `pgpassword`."""

STEMS: Final = (
    *("pass", "pw", "pswd", "secret", "cred", "auth", "pat", "psk", "key", "pem"),
    *("token", "bearer", "cookie", "conn", "dsn", "sas", "hook", "otp", "jwt", "sig"),
    *("salt", "pepper", "pfx", "p12", "kennwort", "contrase", "senha", "parol"),
    *("wachtwoord", "heslo", "haslo", "hasło", "lozinka", "mdp", "salasana"),
    *("lösenord", "losenord", "пароль", "密码", "密碼", "パスワード", "mnemonic"),
    *("schl", "sleutel", "clef", "cle_", "cle-", "cleapi", "clepriv", "cleacc", "clé"),
    *("clave", "chave", "chiave", "llave", "nyckel", "nøgle", "nøkkel", "avain"),
    *("klucz", "klíč", "ключ", "kulcs", "anahtar", "jeton", "geheim", "zugang"),
    *("anmeldedaten", "losung", "wort", "woord", "codewort", "identifiant", "inlog"),
    *("wachtzin", "toegang", "segred", "segret", "kodeord", "adgang", "lösen"),
    *("jelsz", "parool", "sifre", "şifre", "geslo", "salas", "zaporka", "contrasen"),
    *("contrasinal", "khẩu", "khau", "frase", "docker", "npmrc", "netrc", "pypirc"),
    *("kubeconfig", "sessid", "sessionid", "verifier", "saml"),
    *("phrase", "code", "pin", "assertion", "jaas", "account", "url", "uri"),
    *("answer", "backend"),
)
"""Every name that may stand for a secret holds one of these: a cheap prefilter."""
