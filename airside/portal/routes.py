"""THE LIST of the portal's pages."""

from airside.portal.agents.routes import agent_routes
from airside.portal.applications.agent import AppAgent
from airside.portal.applications.audit import AppAudit
from airside.portal.applications.created import AppSecrets
from airside.portal.applications.credentials import Credentials
from airside.portal.applications.deliveries import Deliveries, Delivery, Redeliver
from airside.portal.applications.form import EditApplication, NewApplication
from airside.portal.applications.index import Applications, DeleteApplication
from airside.portal.applications.installations import AppInstallations
from airside.portal.applications.listing import (
    Listing,
    ListingPreview,
    Screenshot,
    Screenshots,
    SubmitListing,
    TakeBackListing,
    WithdrawListing,
)
from airside.portal.applications.manifest import ApplyManifest, AppManifest, DownloadManifest, NewFromManifest
from airside.portal.applications.oauth import EditOAuth, OAuth
from airside.portal.applications.overview import Application
from airside.portal.applications.secrets import (
    ClientSecrets,
    EndClientSecret,
    RevealWebhookSecret,
    SwitchWebhookSecret,
    WebhookSecret,
)
from airside.portal.applications.usage import AppUsage
from airside.portal.applications.webhooks import AppWebhooks, EditWebhooks, SwitchOn, TryApp
from airside.portal.audit import AuditExport, AuditLog
from airside.portal.errors import show_error as show_error
from airside.portal.home import Home, WorkspaceHome
from airside.portal.integrations.installed import (
    ChooseProjects,
    DecideScopes,
    Integration,
    Integrations,
    Repair,
    Suspend,
    Uninstall,
    Unsuspend,
)
from airside.portal.integrations.policy import AppPolicy, RuleApp, SuspendKeptOut
from airside.portal.kept_upstream import fit_upstream
from airside.portal.live import LiveStream
from airside.portal.logos import Logo
from airside.portal.marketplace.browse import Marketplace, MarketplaceApp, MarketplaceInstall
from airside.portal.marketplace.exchange import ExportListing, ExportReviewed, ImportListing
from airside.portal.marketplace.review import Review, ReviewQueue, VerifyPublisher
from airside.portal.oauth.authorize import Authorize, ChooseWorkspace, Consent, Continue
from airside.portal.oauth.device import Device, DeviceAnswered
from airside.portal.people.accounts import Accounts, DeactivateAccount, ReactivateAccount
from airside.portal.people.invitations import (
    Accept,
    AcceptSignedOut,
    InvitationLink,
    InvitationMade,
    Invite,
    RevokeInvitation,
)
from airside.portal.people.members import EndSignIns, Member, Members, RemoveMember
from airside.portal.people.new_workspace import NewWorkspace
from airside.portal.people.profile import (
    ApiKeyMade,
    ApiKeys,
    Appearance,
    ConnectedApps,
    Disconnect,
    EndSignIn,
    Password,
    Profile,
    RevokeApiKey,
)
from airside.portal.people.sign_in import SignIn, SignOut
from airside.portal.people.workspace import WorkspaceSettings
from airside.portal.static import Favicon, StaticFile
from airside.portal.styleguide import StyleGuide
from airside.portal.webhooks.log import (
    RedeliverWebhook,
    ReplaceSecretPage,
    SecretPage,
    SwitchSecret,
    WebhookDeliveries,
    WebhookDelivery,
)
from airside.portal.webhooks.pages import (
    DeleteWebhook,
    EditWebhook,
    NewWebhook,
    TryWebhook,
    Webhook,
    WebhookMade,
    Webhooks,
)
from airside.portal.work.routes import work_routes
from airside.runtime.site import Site

Route = tuple[str, object]

SETTINGS = "/{slug}/settings"
APPS = f"{SETTINGS}/applications"
APP = f"{APPS}/{{app_id}}"
LISTING = f"{APP}/listing"
DELIVERY = f"{APP}/deliveries/{{delivery_id}}"
WEBHOOKS = f"{SETTINGS}/webhooks"
WEBHOOK = f"{WEBHOOKS}/{{webhook_id}}"
WEBHOOK_DELIVERY = f"{WEBHOOK}/deliveries/{{delivery_id}}"
INSTALLED = f"{SETTINGS}/integrations/{{installation_id}}"


def authorization_routes(site: Site) -> list[Route]:
    """The authorization endpoint: an address of the protocol, which redirects to the page of consent."""
    return [
        ("/auth/o/authorize-app", Authorize(site)),
        ("/auth/o/authorize", Authorize(site)),  # as one page of Plane's documentation spells it
    ]


def portal_routes(site: Site) -> list[Route]:
    """Path without AIRSIDE_PAGES_PREFIX and its trailing slash → resource."""
    routes = _of_every_kind(site)
    return fit_upstream(site, routes, work_routes(site)) if site.settings.upstream_url else routes


def _of_every_kind(site: Site) -> list[Route]:
    return [
        *_for_everybody(site),
        *_of_a_person(site),
        *_of_a_workspace(site),
        *_of_its_apps(site),
        *_of_its_webhooks(site),
        *_of_installed_apps(site),
        *([("/styleguide", StyleGuide(site))] if site.settings.debug else []),
    ]


def _for_everybody(site: Site) -> list[Route]:
    return [
        ("/static/{digest}/{name}", StaticFile()),
        ("/favicon.ico", Favicon()),
        ("/uploads/logos/{name}", Logo(site)),
        ("/sign-in", SignIn(site)),
        ("/sign-out", SignOut(site)),
        ("/consent", Consent(site)),
        ("/consent/workspace", ChooseWorkspace(site)),
        ("/consent/continue", Continue(site)),
        ("/invitations", Accept(site)),
        ("/invitations/sign-out", AcceptSignedOut(site)),
        ("/device", Device(site)),
        ("/device/{answer}", DeviceAnswered(site)),
    ]


def _of_a_person(site: Site) -> list[Route]:
    return [
        ("/", Home(site)),
        ("/workspaces/new", NewWorkspace(site)),
        ("/admin/people", Accounts(site)),
        ("/admin/people/{user_id}/deactivate", DeactivateAccount(site)),
        ("/admin/people/{user_id}/reactivate", ReactivateAccount(site)),
        ("/profile", Profile(site)),
        ("/profile/password", Password(site)),
        ("/profile/appearance", Appearance(site)),
        ("/profile/api-keys", ApiKeys(site)),
        ("/profile/api-keys/made", ApiKeyMade(site)),
        ("/profile/api-keys/{key_id}/revoke", RevokeApiKey(site)),
        ("/profile/connected-apps", ConnectedApps(site)),
        ("/profile/connected-apps/{installation_id}/disconnect", Disconnect(site)),
        ("/profile/sign-ins/{sign_in_id}/end", EndSignIn(site)),
    ]


def _of_a_workspace(site: Site) -> list[Route]:
    return [
        ("/{slug}", WorkspaceHome(site)),
        (SETTINGS, WorkspaceHome(site)),
        (f"{SETTINGS}/general", WorkspaceSettings(site)),
        ("/{slug}/live", LiveStream(site)),
        *work_routes(site),
        *agent_routes(site),
        (f"{SETTINGS}/members", Members(site)),
        (f"{SETTINGS}/members/invite", Invite(site)),
        (f"{SETTINGS}/members/invitations/{{invitation_id}}/link", InvitationLink(site)),
        (f"{SETTINGS}/members/invitations/{{invitation_id}}/made", InvitationMade(site)),
        (f"{SETTINGS}/members/invitations/{{invitation_id}}/revoke", RevokeInvitation(site)),
        (f"{SETTINGS}/members/{{user_id}}", Member(site)),
        (f"{SETTINGS}/members/{{user_id}}/remove", RemoveMember(site)),
        (f"{SETTINGS}/members/{{user_id}}/sign-ins/end", EndSignIns(site)),
        (f"{SETTINGS}/audit", AuditLog(site)),
        (f"{SETTINGS}/audit/export", AuditExport(site)),
    ]


def _of_its_webhooks(site: Site) -> list[Route]:
    return [
        (WEBHOOKS, Webhooks(site)),
        (f"{WEBHOOKS}/new", NewWebhook(site)),
        (WEBHOOK, Webhook(site)),
        (f"{WEBHOOK}/made", WebhookMade(site)),
        (f"{WEBHOOK}/edit", EditWebhook(site)),
        (f"{WEBHOOK}/delete", DeleteWebhook(site)),
        (f"{WEBHOOK}/secret", SecretPage(site)),
        (f"{WEBHOOK}/replace-secret", ReplaceSecretPage(site)),
        (f"{WEBHOOK}/switch-secret", SwitchSecret(site)),
        (f"{WEBHOOK}/test", TryWebhook(site)),
        (f"{WEBHOOK}/redeliver", RedeliverWebhook(site)),
        (f"{WEBHOOK}/deliveries", WebhookDeliveries(site)),
        (WEBHOOK_DELIVERY, WebhookDelivery(site)),
        (f"{WEBHOOK_DELIVERY}/redeliver", RedeliverWebhook(site)),
    ]


def _of_installed_apps(site: Site) -> list[Route]:
    return [
        (f"{SETTINGS}/integrations", Integrations(site)),
        (INSTALLED, Integration(site)),
        (f"{INSTALLED}/projects", ChooseProjects(site)),
        (f"{INSTALLED}/repair", Repair(site)),
        (f"{INSTALLED}/scopes", DecideScopes(site)),
        (f"{INSTALLED}/suspend", Suspend(site)),
        (f"{INSTALLED}/unsuspend", Unsuspend(site)),
        (f"{INSTALLED}/uninstall", Uninstall(site)),
        (f"{SETTINGS}/app-policy", AppPolicy(site)),
        (f"{SETTINGS}/app-policy/apps", RuleApp(site)),
        (f"{SETTINGS}/app-policy/suspend", SuspendKeptOut(site)),
        *marketplace_routes(site),
    ]


def _of_its_apps(site: Site) -> list[Route]:
    """The developer portal: the apps that a workspace builds."""
    return [
        (APPS, Applications(site)),
        (f"{APPS}/new", NewApplication(site)),
        (f"{APPS}/new/manifest", NewFromManifest(site)),
        (APP, Application(site)),
        (f"{APP}/made", AppSecrets(site)),
        (f"{APP}/credentials", Credentials(site)),
        (f"{APP}/oauth", OAuth(site)),
        (f"{APP}/oauth/edit", EditOAuth(site)),
        (f"{APP}/webhooks", AppWebhooks(site)),
        (f"{APP}/webhooks/edit", EditWebhooks(site)),
        (f"{APP}/webhooks/test", TryApp(site)),
        (f"{APP}/webhooks/{{webhook_id}}/switch-on", SwitchOn(site)),
        (f"{APP}/agent", AppAgent(site)),
        (f"{APP}/installations", AppInstallations(site)),
        (f"{APP}/usage", AppUsage(site)),
        (f"{APP}/manifest", AppManifest(site)),
        (f"{APP}/manifest/apply", ApplyManifest(site)),
        (f"{APP}/manifest/download", DownloadManifest(site)),
        (f"{APP}/audit", AppAudit(site)),
        (f"{APP}/edit", EditApplication(site)),
        (f"{APP}/delete", DeleteApplication(site)),
        (f"{APP}/secrets", ClientSecrets(site)),
        (f"{APP}/secrets/{{secret_id}}/end", EndClientSecret(site)),
        (f"{APP}/webhook-secret", WebhookSecret(site)),
        (f"{APP}/webhook-secret/switch", SwitchWebhookSecret(site)),
        (f"{APP}/webhook-secret/show", RevealWebhookSecret(site)),
        (f"{APP}/deliveries", Deliveries(site)),
        (f"{APP}/redeliver", Redeliver(site)),
        (DELIVERY, Delivery(site)),
        (f"{DELIVERY}/redeliver", Redeliver(site)),
    ]


def marketplace_routes(site: Site) -> list[tuple[str, object]]:
    """The marketplace, the authors' listing pages, and the operators' review."""
    review = "/admin/review/{app_slug}"
    return [
        ("/marketplace", Marketplace(site)),
        ("/marketplace/{app_slug}", MarketplaceApp(site)),
        ("/marketplace/{app_slug}/install", MarketplaceInstall(site)),
        ("/{slug}/marketplace", Marketplace(site)),
        ("/{slug}/marketplace/{app_slug}", MarketplaceApp(site)),
        ("/{slug}/marketplace/{app_slug}/install", MarketplaceInstall(site)),
        (LISTING, Listing(site)),
        (f"{LISTING}/preview", ListingPreview(site)),
        (f"{LISTING}/screenshots", Screenshots(site)),
        (f"{LISTING}/screenshots/{{picture_id}}", Screenshot(site)),
        (f"{LISTING}/export", ExportListing(site)),
        (f"{LISTING}/submit", SubmitListing(site)),
        (f"{LISTING}/take-back", TakeBackListing(site)),
        (f"{LISTING}/withdraw", WithdrawListing(site)),
        ("/admin/review", ReviewQueue(site)),
        (review, Review(site)),
        (f"{review}/publisher", VerifyPublisher(site)),
        (f"{review}/export", ExportReviewed(site)),
        ("/admin/import", ImportListing(site)),
    ]
