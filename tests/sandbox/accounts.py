"""accounts.py: what stands in connectors.d of the sandbox: one account for each channel, each with secrets of its own."""

from processes import write_file

MAIL = """# The office's mailbox, at the local mail system.
name    = "surel";
type    = "email";
address = "{address}";
imap = {{ url = "{imap}"; user = "{user}"; password = "@surel"; }};
smtp = {{ url = "{smtp}"; user = "{user}"; password = "@surel"; }};
tls_ca = "{ca}";
"""

MAILDIR = """# A second box of the office; the mail server delivers it into a directory.
name    = "surat";
type    = "maildir";
address = "{address}";
path    = "{path}";
poll    = "500ms";
smtp    = {{ url = "{smtp}"; }};
"""

WHATSAPP = """# The office's WhatsApp number, at the stand-in for Graph.
name            = "wa";
type            = "whatsapp";
api             = "{api}";
phone_number_id = "{id}";
access_token    = "@wa-token";
app_secret      = [ "@wa-app" ];
verify_token    = "@wa-verify";
template        = {{ name = "buka_percakapan"; language = "id"; }};
"""

INSTAGRAM = """# The office's Instagram, at its stand-in.
name         = "ig";
type         = "instagram";
api          = "{api}";
account_id   = "{id}";
access_token = "@ig-token";
app_secret   = [ "@ig-app" ];
verify_token = "@ig-verify";
"""

FACEBOOK = """# The office's Facebook page, at its stand-in.
name         = "fb";
type         = "facebook";
api          = "{api}";
page_id      = "{id}";
access_token = "@fb-token";
app_secret   = [ "@fb-app" ];
verify_token = "@fb-verify";
"""

X = """# The office's account on X, at its stand-in. Webhooks bring it; mentions are read now and then all the same.
name                = "x";
type                = "x";
api                 = "{api}";
ton                 = "{api}";
user_id             = "{id}";
consumer_key        = "@x-key";
consumer_secret     = "@x-secret";
access_token        = "@x-token";
access_token_secret = "@x-token-secret";
mentions            = "5s";
webhook             = true;
"""

LAPOR = """# SP4N-LAPOR! without an API: reports are imported, answers wait in the work list.
name = "lapor";
type = "lapor";
mode = "assisted";
"""

LAPOR_API = """# SP4N-LAPOR! with an API, at its stand-in; what it may do stands in the profile.
name    = "lapor-api";
type    = "lapor";
mode    = "api";
profile = "{profile}";
headers = ( "auth: Bearer ", "token: " );
secrets = ( "@lapor-auth", "@lapor-token" );
poll    = "3s";
"""

COUNTER = """# Counter, telephone, letters, suggestion box: logged with aduanctl intake.
name = "loket";
type = "counter";
"""

META = {"wa": WHATSAPP, "ig": INSTAGRAM, "fb": FACEBOOK}
META_SECRETS = ("token", "app", "verify")


def write_meta(office, name, stand, ident):
    """An account at one of Meta's stand-ins, which learns its secrets and where webhooks go."""
    stand.token, stand.app_secret = (office.secret(f"{name}-{part}") for part in META_SECRETS[:2])
    office.secret(f"{name}-verify")
    stand.hook = office.hook_of(name)
    office.account(name, META[name].format(api=stand.api, id=ident))


def write_mail(office, box):
    """box: address, user, password, imap, smtp, ca."""
    office.secret("surel", box["password"])
    office.account("surel", MAIL.format(**box))


def write_x(office, x):
    x.consumer_key, x.consumer_secret = office.secret("x-key"), office.secret("x-secret")
    x.token, x.token_secret = office.secret("x-token"), office.secret("x-token-secret")
    x.hook = office.hook_of("x")
    office.account("x", X.format(api=x.api, id=x.user_id))


def write_lapor_api(office, stand):
    stand.values = [office.secret("lapor-auth"), office.secret("lapor-token")]
    path = office.dir / "lapor.profile"
    write_file(path, stand.profile())
    office.account("lapor-api", LAPOR_API.format(profile=path))
