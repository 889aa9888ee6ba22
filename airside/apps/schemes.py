"""Which schemes of a redirect URI can't be an app's own, because a browser or an operating system acts on them.

RFC 8252 §7.1 asks apps for a scheme after a domain of theirs, but real clients have short ones (cursor:, vscode:).
So every scheme is taken except those that mean something already: an authorization code and what a client puts
beside it must never be run, handed to a program of the system, or sent over another protocol (RFC 8252 §8.4).
"""

# Run by a browser, or its own pages and files.
_BROWSERS = """
    about blob brave chrome cid content data ddgquicklink devtools ecmascript edge feed file filesystem
    firefox googlechrome googlechromes hcp jar javascript jscript livescript local mhtml mid mk mocha
    opera pcast res resource vbscript view-source vivaldi wyciwyg x-javascript
"""
# Handed to a program of the system, which acts on what stands behind it.
_SYSTEMS = """
    android-app app-settings applenews applenewss applescript calculator callto cmd disk disks facetime
    facetime-audio facetime-group fax geo help imessage intent itms itmss itpc itunes macappstore
    macappstores mailto maps market message mms mmsto onenote package powershell prefs search search-ms
    shell shortcuts sms smsto stssync tel telprompt voicemail windowsdefender wtai x-apple
    x-apple-helpbasic x-help-action x-help-script x-man-page x-web-search
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
# Whole families, which grow: ms-msdt and its like, chrome-extension, x-apple.systempreferences, git+ssh. Some
# open a page of the web in a browser (x-safari-https), any site may claim web+, and any extension ext+.
_FAMILIES = (
    *("android.", "chrome-", "edge-", "firefox-", "googlechrome-", "itms-", "microsoft-", "microsoft."),
    *("moz-", "ms-", "onenote-", "opera-", "safari-", "touch-http", "view-", "x-apple.", "x-safari-"),
    *("bzr+", "ext+", "git+", "svn+", "web+"),
)
_WEB = frozenset({"http", "https"})


def is_forbidden_scheme(scheme: str) -> bool:
    """`scheme` in lower case, without the colon."""
    if scheme in _FORBIDDEN or scheme.startswith(_FAMILIES):
        return True
    parts = scheme.split("+")  # feed+http, ssh+git: one within another
    return len(parts) > 1 and not (_FORBIDDEN | _WEB).isdisjoint(parts)
