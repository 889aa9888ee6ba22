"""Forbidden schemes of redirect URIs: those that a browser or an operating system handles itself.

RFC 8252 §7.1 asks for a reversed domain name as scheme, but real clients use short ones (cursor:, vscode:). So
every scheme is allowed except those with a known meaning: a redirect with an authorization code must never be
executed, passed to a system program, or sent over another protocol (RFC 8252 §8.4).
"""

# Executed by a browser, or its internal pages and files.
_BROWSERS = """
    about blob brave chrome cid content data ddgquicklink devtools ecmascript edge feed file filesystem
    firefox googlechrome googlechromes hcp jar javascript jscript livescript local mhtml mid mk mocha
    opera pcast res resource vbscript view-source vivaldi wyciwyg x-javascript
"""
# Passed to a system program, which acts on the rest of the URI.
_SYSTEMS = """
    android-app app-settings applenews applenewss applescript calculator callto cmd disk disks facetime
    facetime-audio facetime-group fax geo help imessage intent itms itmss itpc itunes macappstore
    macappstores mailto maps market message mms mmsto onenote package powershell prefs search search-ms
    shell shortcuts sms smsto stssync tel telprompt voicemail windowsdefender wtai x-apple
    x-apple-helpbasic x-help-action x-help-script x-man-page x-web-search
"""
# Other network protocols.
_PROTOCOLS = """
    acap afp cifs coap coaps dav davs dict dns finger ftp ftps git gopher h323 http+unix httpg iax icap imap
    imaps ipfs ipn ipns ipp ipps irc irc6 ircs jdbc jms ldap ldapi ldaps localhost magnet mms mongodb mqtt
    mqtts mysql news nfs nntp nntps pop pop3 postgres postgresql rdp redis rediss rlogin rsync rtmp rtmps rtsp
    rtsps scp sftp shttp sip sips smb smtp smtps snews snmp ssh stun stuns svn telnet tftp tn3270 turn turns
    udp urn vnc wais webcal webcals ws wss xmpp
"""
_FORBIDDEN = frozenset(f"{_BROWSERS} {_SYSTEMS} {_PROTOCOLS}".split())
# Prefixes of open-ended families: ms-msdt, chrome-extension, x-apple.systempreferences, git+ssh. Some open a web
# page in a browser (x-safari-https), any site may register web+, and any extension ext+.
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
    parts = scheme.split("+")  # nested schemes, such as feed+http and ssh+git
    return len(parts) > 1 and not (_FORBIDDEN | _WEB).isdisjoint(parts)
