"""Every action of the audit log, with its label. One action is one row, written in the action's transaction."""

ACTIONS: dict[str, str] = {
    # people
    "user.created": "Created a user",
    "user.email_proven": "Proved a user's e-mail",
    "user.deactivated": "Deactivated a user",
    "user.reactivated": "Reactivated a user",
    "user.operator_added": "Made a user an operator of this instance",
    "user.operator_removed": "Removed a user as operator of this instance",
    "user.signed_in": "Signed in",
    "user.sign_in_failed": "Failed to sign in",
    "user.signed_out": "Signed out",
    "user.password_changed": "Changed a password",
    "api_key.created": "Made an API key",
    "api_key.revoked": "Revoked an API key",
    # the workspace
    "workspace.created": "Created the workspace",
    "workspace.imported": "Brought a workspace's records in",
    "workspace.renamed": "Renamed the workspace",
    "workspace.policy_changed": "Changed a policy of the workspace",
    "member.added": "Added a member",
    "member.role_changed": "Changed a member's role",
    "member.removed": "Removed a member",
    "invitation.created": "Invited somebody",
    "invitation.link_made": "Made a new link for an invitation",
    "invitation.role_changed": "Changed the role that an invitation gives",
    "invitation.unproven_accepted": "Let an account with an unproven e-mail use an invitation",
    "invitation.accepted": "Accepted an invitation",
    "invitation.revoked": "Revoked an invitation",
    # registrations
    "app.created": "Registered an app",
    "app.updated": "Changed an app's registration",
    "app.deleted": "Deleted an app",
    "app.resource_added": "Let an app check tokens for a resource",
    "app.resource_removed": "Let an app no longer check tokens for a resource",
    "client_secret.created": "Made a client secret, shown once",
    "client_secret.ended": "Revoked a client secret",
    "webhook_secret.created": "Made a webhook secret, shown once",
    "webhook_secret.replaced": "Replaced the webhook secret, shown once",
    "webhook_secret.switched": "Let only the new webhook secret sign",
    "webhook_secret.revealed": "Revealed a webhook secret",
    # the workspace's own webhooks
    "webhook.created": "Made a webhook",
    "webhook.updated": "Changed a webhook",
    "webhook.deleted": "Deleted a webhook",
    # airside listen
    "listener.opened": "Connected a computer to an app's webhooks",
    "listener.closed": "Disconnected a computer from an app's webhooks",
    # an app in a workspace; named like its events
    "app.installed": "Installed an app",
    "app.scopes_changed": "Changed what an app may do",
    "app.scopes_declined": "Declined what an app asked for beyond its grant",
    "app.projects_changed": "Changed which projects an app may reach",
    "app.suspended": "Suspended an app",
    "app.unsuspended": "Resumed a suspended app",
    "app.uninstalled": "Uninstalled an app",
    # the marketplace
    "listing.saved": "Changed an app's listing",
    "listing.imported": "Made a listing from a file",
    "listing.submitted": "Sent a listing to review",
    "listing.taken_back": "Took a listing back from review",
    "listing.approved": "Approved a listing: it is in the marketplace",
    "listing.changes_requested": "Asked for changes to a listing",
    "listing.delisted": "Took a listing out of the marketplace",
    "listing.withdrawn": "Withdrew a listing from the marketplace",
    "publisher.verified": "Verified a publisher",
    "publisher.unverified": "Ended a publisher's verification",
    # consent and tokens
    "consent.given": "Gave an app consent",
    "consent.denied": "Denied an app consent",
    "token.issued": "Got tokens for a code",
    "token.bot_issued": "Got bot tokens",
    "token.refreshed": "Refreshed its tokens",
    "token.revoked": "Revoked tokens",
    "token.reuse_detected": "Reused a refresh token: its tokens were revoked",
    "code.replay_detected": "Reused an authorization code: its tokens were revoked",
}


def check_action(action: str) -> None:
    """Raises ValueError for an action that isn't listed here, so that all can be filtered by."""
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is not an action of airside/audit/actions.py")
