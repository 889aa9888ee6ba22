"""Which schemes of a redirect URI can't be an app's own, because a browser or an operating system acts on them.

RFC 8252 §7.1 asks apps for a scheme after a domain of theirs, but real clients have short ones (cursor:, vscode:).
So every scheme is taken except those that mean something already: an authorization code and what a client puts
beside it must never be run, handed to a program of the system, or sent over another protocol (RFC 8252 §8.4).
"""

# Run by a browser, or its own pages and files.
_BROWSERS = """
    about blob brave chrome cid content data devtools edge feed file filesystem firefox googlechrome
    googlechromes hcp jar javascript livescript local mhtml mid mk mocha opera pcast res resource vbscript
    view-source vivaldi wyciwyg x-javascript
"""
# Handed to a program of the system, which acts on what stands behind it.
_SYSTEMS = """
    android-app app-settings applescript calculator callto facetime facetime-audio facetime-group fax geo
    intent itms itmss itunes macappstore macappstores mailto maps market message mms mmsto onenote prefs
    search search-ms shell shortcuts sms smsto tel telprompt wtai x-apple x-apple-helpbasic x-help-action
    x-help-script x-man-page x-web-search
"""
# Another protocol, over which what follows would be sent.
_PROTOCOLS = """
    acap afp cifs coap coaps dav davs dict dns finger ftp ftps git gopher h323 http+unix httpg iax icap imap
    imaps ipfs ipn ipns ipp ipps irc irc6 ircs jdbc jms ldap ldapi ldaps localhost magnet mms mongodb mqtt
    mqtts mysql news nfs nntp nntps pop pop3 postgres postgresql rdp redis rediss rlogin rsync rtmp rtmps rtsp
    rtsps scp sftp shttp sip sips smb smtp smtps snews snmp ssh stun stuns svn telnet tftp tn3270 turn turns
    udp urn vnc wais webcal webcals ws wss xmpp
"""
_FORBIDDEN = frozenset(f"{_BROWSERS} {_SYSTEMS} {_PROTOCOLS}".split())
# Whole families, which grow: ms-msdt and its like, chrome-extension, x-apple.systempreferences, git+ssh.
_FAMILIES = (
    *("chrome-", "edge-", "itms-", "microsoft-", "moz-", "ms-", "safari-", "view-"),
    *("x-apple.", "git+", "svn+"),
)


def is_forbidden_scheme(scheme: str) -> bool:
    """`scheme` in lower case, without the colon."""
    return scheme in _FORBIDDEN or scheme.startswith(_FAMILIES)
