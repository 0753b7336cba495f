//! What may be asked of the platform, once for the API and the dashboard.
//!
//! Every command is decided on the log, so none of them needs Postgres. Afterwards the read model is given a moment to
//! catch up, so that whoever asked sees what they did.

mod active;
mod aliases;
mod builds;
mod collect;
mod credentials;
mod deliveries;
mod domains;
mod execute;
mod files;
mod hub;
mod identities;
mod invitation_mail;
mod limits;
mod links;
mod locks;
mod members;
mod organizations;
mod parked;
mod people;
mod permit;
mod purge;
mod reason;
mod receivers;
mod restore;
mod routes;
mod secrets;
mod sessions;
mod shares;
mod sites;
mod suspensions;
mod tokens;
mod told;
mod uploads;
mod variables;
mod vouched;

pub(crate) use aliases::{Promotion, promote, take_down};
pub(crate) use builds::{Cache, Source, cancel_build, request_build, retry_build};
pub(crate) use collect::{Surplus, collect, keep_collecting, surplus};
pub(crate) use credentials::{
    NewSourceToken, fingerprint, make_deploy_key, remove_deploy_key, remove_source_token, set_source_token,
};
pub(crate) use deliveries::redeliver;
pub(crate) use domains::{NewDomain, add_domain, check_domain, remove_domain};
pub(crate) use execute::{execute, shown, soon};
pub(crate) use files::{
    At, Change, Permitted, Saved, Tip, Written, list_files, may_use_repository, publish, read_file, save_file,
};
pub(crate) use hub::{
    connect_github, disconnect_github, github_account, github_repositories, github_repository, install_webhook,
};
pub(crate) use identities::{connect, disconnect, welcome};
pub(crate) use limits::{LIMIT_MAX, begin_sandbox, end_sandbox, limit_organization};
pub(crate) use links::{SignInLink, create_link, follow_link, told};
pub(crate) use locks::{lock_site, unlock_site};
pub(crate) use members::{Guest, Sent, accept, invitation, invite, remove_member, set_member, withdraw};
pub(crate) use organizations::{Rename, create_organization, rename_organization};
pub(crate) use parked::{Verdict, handle_parked};
pub(crate) use people::{erase, set_platform_role};
pub(crate) use purge::{Whose, purge};
pub(crate) use receivers::{
    NewReceiver, NewReception, ReceiverEdit, change_receiver, create_receiver, remove_receiver, resend_notice,
    test_receiver,
};
pub(crate) use restore::restore_site;
pub(crate) use routes::{Imported, add_route, import_routes, remove_route};
pub(crate) use secrets::{WebhookSecret, begin_webhook, first_webhook_secret, rotate_webhook_secret};
pub(crate) use sessions::holder_of_sessions;
pub(crate) use shares::{Made as MadeLink, NewShareLink, revoke_share, share};
pub(crate) use sites::{Created, Edit, NewSite, change_site, create_site, delete_site, name_of};
pub(crate) use suspensions::{reinstate_organization, reinstate_user, suspend_organization, suspend_user};
pub(crate) use tokens::{Made, NewToken, create_token, revoke_token};
pub(crate) use told::{sweep, tell};
pub(crate) use uploads::{keep_upload, missing_of, publish_folder};
pub(crate) use variables::{NewVariable, remove_variable, set_variable};
