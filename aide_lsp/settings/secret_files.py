"""Which files commonly hold secrets, so that by default Aide neither reads them nor completes in them.

Otherwise, keys and passwords would end up in the model's prompt, and a model that has read one may write it
elsewhere. Case does not matter, and a backup or copy is treated like the original file.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import PurePath

from attrs import frozen

from aide_lsp.settings.globs import alternatives


@frozen
class SecretFiles:
    """Files that hold secrets of one kind."""

    kind: str
    """What they hold."""
    globs: tuple[str, ...]
    """As in the setting `off`, in lower case."""
    examples: tuple[str, ...]
    """Names that fit, for the documentation and the tests."""
    samples: bool = False
    """Whether files with such names are harmless if they are samples (see `SAMPLES`)."""
    code: bool = False
    """Whether files with such names are harmless if they are source code or pages (see `CODE`)."""


SECRET_FILES = (
    SecretFiles(
        "Environment variables",
        (
            ".env",
            ".env[-._0-9]*",
            "*.env",
            ".envrc",
            ".flaskenv",
            ".environment",
            ".dev.vars",
            ".dev.vars.*",
            "**/{.envs,.env.d}/**",
        ),
        (".env", ".ENV", ".env.local", ".env-prod", "prod.env", ".envrc", ".dev.vars"),
        samples=True,
    ),
    SecretFiles(
        "Private keys, key stores and certificates",
        (
            "*.{pem,key,p8,p12,pfx,pk8,pvk,der,snk,ppk,asc,gpg,pgp,age,agekey,jwk,jwks,keytab,ovpn}",
            "*.{jks,jceks,bks,keystore,keychain,keychain-db,kdb,kdbx,psafe3}",
            "id_{rsa,dsa,ecdsa,ed25519,xmss}",
            "id_{rsa,dsa,ecdsa,ed25519,xmss}[-._]*",
            "id_*_sk",
            "id_*_sk[-._]*",
            "*[-._]{rsa,dsa,ecdsa,ed25519}",
            "ssh_host_*_key",
            "privkey*",
            "private[-_]key*",
            "secring.*",
            "wg[0-9]*.conf",
            "**/{.ssh,.gnupg,.password-store}/**",
        ),
        ("SERVER.PEM", "ID_RSA", "id_rsa.old", "id_ed25519_sk", "deploy_ed25519", "vpn.ovpn", ".ssh/config"),
    ),
    SecretFiles(
        "Clouds, clusters and infrastructure",
        (
            "*.tfstate",
            "*.tfstate.*",
            "*.tfvars",
            "*.tfvars.json",
            "*.tfrc",
            "*.tfrc.json",
            ".terraformrc",
            "terraform.rc",
            "kubeconfig",
            "kubeconfig[-._]*",
            "*[-._]kubeconfig",
            "*[-._]kubeconfig.*",
            "**/.kube/**",
            "**/kubernetes/*.conf",
            "{k3s,rke2}.yaml",
            ".dockercfg",
            ".dockerconfigjson",
            "**/.docker/config.json",
            "**/{.aws,.azure,.oci,.bluemix,.pulumi,.cloudflared,.ngrok2}/**",
            "**/.config/{gcloud,doctl}/**",
            "aws[-_]credentials*",
            ".{boto,s3cfg,s3curl,databrickscfg}",
            "{.passwd-s3fs,passwd-s3fs}",
            "application_default_credentials*.json",
            "*service[-_]account*.json",
            "*serviceaccount*.json",
            "*client[-_]secret*.json",
            "*firebase[-_]adminsdk*.json",
            "{gcp,gcloud,google}[-_]key*.json",
            "*keyfile*.json",
            "*.publishsettings",
            "ngrok.yml",
            ".vault[-_]{token,pass,password}*",
            "vault[-_]{token,pass,password}*",
            "vault.{yml,yaml}",
        ),
        (
            "prod.tfstate",
            "kubeconfig",
            ".kube/config",
            ".dockercfg",
            ".aws/config",
            ".boto",
            ".s3cfg",
            "service-account-ci.json",
            "client_secret_1.json",
            ".vault-token",
        ),
        samples=True,
    ),
    SecretFiles(
        "Logins of tools, registries and networks",
        (
            "{.netrc,_netrc}",
            ".netrc[-._]*",
            ".authinfo",
            ".git-credentials",
            "{.npmrc,.yarnrc,.yarnrc.yml,.pypirc}",
            "auth.json",
            "**/.m2/settings*.xml",
            "**/.gradle/gradle.properties",
            "**/.bundle/config",
            "**/{.pip,pip}/pip.conf",
            "**/.nuget/**",
            "**/.fly/config.yml",
            "**/.cargo/credentials*",
            "**/.config/gh/hosts.yml",
            "**/.config/hub",
            "**/.config/glab-cli/config.yml",
            "**/{.huggingface,huggingface}/token",
            "kaggle.json",
            ".sentryclirc",
            "{.htpasswd,htpasswd,.htdigest}",
            "**/etc/{shadow,gshadow}",
            "{.curlrc,_curlrc,.wgetrc,.fetchmailrc,.msmtprc,.offlineimaprc,.mbsyncrc,.smbcredentials,.cvspass}",
            "**/.subversion/auth/**",
            "{.ftpconfig,sftp.json,sftp-config.json,winscp.ini,rclone.conf}",
            "{filezilla,sitemanager,recentservers}.xml",
            "{.erlang.cookie,.xauthority,cookies.txt}",
            "wpa_supplicant*.conf",
            "{unattend,autounattend,sysprep}.xml",
            "*.nmconnection",
        ),
        (".netrc", ".npmrc", ".yarnrc.yml", ".pypirc", ".git-credentials", "auth.json", ".htpasswd"),
        samples=True,
    ),
    SecretFiles(
        "Databases",
        ("{.pgpass,pgpass.conf,.my.cnf,.mylogin.cnf,.pg_service.conf,.odbc.ini}", "database.yml"),
        (".pgpass", ".my.cnf", "database.yml"),
        samples=True,
    ),
    SecretFiles(
        "Settings of applications",
        (
            "wp-config*.php",
            "{localsettings,settings.local,config.inc}.php",
            "**/app/etc/env.php",
            "local.settings.json",
            "appsettings*.json",
            "application*.{yml,yaml,properties}",
            "{keystore,key,signing,sentry}.properties",
        ),
        ("wp-config.php", "local.settings.json", "appsettings.Production.json", "application-prod.yml"),
        samples=True,
    ),
    SecretFiles(
        "Named for what they hold",
        (
            "{secret,secrets,credential,credentials,creds}",
            "{secret,credential}.*",
            "{secrets,credentials,creds}[-._]*",
            "*[-._]{secret,secrets,credentials,creds}",
            "*[-._]{secret,secrets,credentials,creds}.*",
            ".{secret,secrets,credentials}[-._]*",
            "{password,passwords,passwd,passphrase}",
            "{password,passwords,passwd,passphrase}.{txt,csv}",
            "*[-._]{password,passwords,passwd,passphrase}",
            "*[-._]{password,passwords,passwd,passphrase}.txt",
            "{token,token.json,token.txt,tokens.txt,token.pickle,*.jwt}",
            "{.,*[-._]}token",
            "*[-._]{token,tokens}.txt",
            "{access,refresh,auth,api,bot}[-_]token*",
            "{apikey,api[-_]key,secret[-_]key}*",
            "{.,*[-._]}{apikey,api[-_]key,secret[-_]key}*",
            "*{recovery,backup}[-_]codes*",
            "*.env.*",
            "**/{secrets,.secrets,.credentials}/**",
        ),
        (
            "credentials",
            "secrets.yaml",
            "db-secret.yml",
            "secrets/token",
            "api_key.txt",
            "recovery-codes.txt",
        ),
        samples=True,
        code=True,
    ),
    SecretFiles(
        "Histories of commands",
        (".*_history", "{.histfile,.zhistory,fish_history,consolehost_history.txt,.lesshst,.viminfo}"),
        (".bash_history", ".psql_history"),
    ),
)
"""The protected files. A glob without `/` matches names in any folder."""
_SAMPLE = "{example,sample,template,dist,default,defaults,tmpl,tpl}"
SAMPLES = (
    f"*[-._]{_SAMPLE}",
    f"*[-._]{_SAMPLE}.{{env,yaml,yml,json,toml,ini,conf,properties,xml,php,tfvars,txt}}",
    "{example,sample,template}.env",
)
"""Files that show the form of a secret file without its values."""
CODE = (
    "*.{py,pyi,pyx,ipynb,js,mjs,cjs,jsx,ts,mts,cts,tsx,vue,svelte,go,rs,rb,erb,java,kt,kts,scala,groovy}",
    "*.{c,cc,cpp,cxx,hh,hpp,cs,fs,vb,swift,m,mm,dart,ex,exs,erl,hs,ml,mli,clj,lua,r,jl,pl,pm,proto,graphql}",
    "*.{html,css,scss,md,mdx,rst,adoc}",
)
"""Source code and pages."""
PUBLIC = ("*.pub",)
"""The public halves of keys."""

# How editors, file managers and people name copies of a file: at the end or before the extension.
_MARK = re.compile(
    r"""(?: ~[~\d]* | \#+ | [ .]+ | ::?\$data | [ ._-]+ (?:
        bak | backup | old | orig | original | saved? | copy | copie | kopie | copia | tmp | temp | prev
        | previous | new | rej | disabled | sw[a-p] | un~ | v?\d{1,14} | \(\d{1,4}\) | \((?:copy|kopie)\)
        | dpkg-\w+ | rpm(?:save|new|orig) | pac(?:save|new) ) \d{0,4}
    )(?= (?:\.[a-z0-9]{1,12})? $ )""",
    re.VERBOSE,
)
_FRONT = re.compile(r"^(?:(?:copy|backup|kopie)(?: \(\d+\))? (?:of|von) |\.?#+|\.(?=.*\.sw[a-p]$))")
# They bound the work for a name that was made to be slow.
_MOST_MARKS, _LONGEST_NAME = 8, 255
_TOKEN = re.compile(r"(\*\*/|/\*\*$|\*|\[[^\]]*\]|[{},])")
_MEANING = {"**/": "(?:.*/)?", "/**": "/.+", "*": "[^/]*", "{": "(?:", "}": ")", ",": "|"}


def secret_glob(path: PurePath) -> str | None:
    """Return the glob by which a file commonly holds secrets; None if it does not match any.

    Only the text of the path counts: it may be relative, a bare name, or a path of another system.
    """
    return _secret_glob(str(path))


@lru_cache(maxsize=4096)
def _secret_glob(path: str) -> str | None:
    *folders, name = path.replace("\\", "/").lower().rstrip("/").split("/")
    if len(name) > _LONGEST_NAME:
        return None
    forms = [name for name, _ in zip(_forms(name), range(_MOST_MARKS), strict=False)]
    is_sample, is_code, is_public = (_fits(globs, forms) for globs in (SAMPLES, CODE, PUBLIC))
    # `id_rsa.pub` also fits `id_rsa[-._]*`.
    for files in () if is_public else SECRET_FILES:
        if (files.samples and is_sample) or (files.code and is_code):
            continue
        if found := _fits(files.globs, forms, "/".join(folders)):
            return found
    return None


def _forms(name: str) -> Iterator[str]:
    """Yield a name, and what it is a backup or a copy of."""
    while name:
        yield name
        plain = _MARK.sub("", _FRONT.sub("", name, count=1), count=1)
        name = plain if plain != name else ""


def _fits(globs: tuple[str, ...], forms: Iterable[str], folder: str = "") -> str | None:
    """Return the first glob, its braces written out, that a file fits under one of its names."""
    names, paths = _compiled(globs)
    for form in forms:
        match = names.fullmatch(form) or paths.fullmatch(f"{folder}/{form}")
        if match and match.lastgroup:
            glob, text = globs[int(match.lastgroup[1:])], match[0]
            return next(one for one in alternatives(glob) if re.fullmatch(_expression(one), text))
    return None


@cache
def _compiled(globs: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile globs to one expression of names and one of paths; each glob is a group in it."""
    groups = [(glob, f"(?P<g{number}>{_expression(glob)})") for number, glob in enumerate(globs)]
    names = [group for glob, group in groups if "/" not in glob]
    paths = [group for glob, group in groups if "/" in glob]
    # Nothing fits an empty list of paths: no path is a line end.
    return re.compile("|".join(names)), re.compile("|".join(paths) or "\n")


def _expression(glob: str) -> str:
    """Write one of the globs above as a regular expression."""
    return "".join(
        _MEANING.get(token, token if token.startswith("[") else re.escape(token))
        for token in _TOKEN.split(glob)
    )
