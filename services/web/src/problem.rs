//! What a caller is told when a request leads to nothing: one type, one table of codes (RFC 9457).

use axum::Json;
use axum::response::{IntoResponse, Response};
use dialer::Unreached;
use events::address::NotAllowed;
use events::authority::Rank;
use events::{Branch, Refusal};
use http::{HeaderValue, StatusCode, header};
use runtime::ExecuteError;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Where each code is explained.
const TYPE_BASE: &str = "https://pagefold.dev/problems";
/// When a caller may ask again, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// Why a request led to nothing. `Display` is for the caller; sources go to the log only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{0}")]
    InvalidInput(String),
    #[error("the address of the repository {0}")]
    RepositoryNotAllowed(#[from] NotAllowed),
    #[error("the address of the receiver {0}")]
    ReceiverNotAllowed(NotAllowed),
    #[error("the backend cannot be asked: {0}")]
    BackendNotAllowed(Unreached),
    #[error("the body is not what it should be: {0}")]
    MalformedPayload(String),
    #[error("the body must be `{0}`")]
    UnsupportedMediaType(&'static str),
    #[error("nothing was added, since {0} of its lines cannot be routes: {1}")]
    ImportRefused(usize, String),
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error("bodies that arrive now take all the room this server has for them")]
    TooManyBodies,
    #[error("bodies from your address take all the room this server has for one address")]
    TooManyBodiesOfOne,
    #[error("the body could not be kept while it arrived; nothing is lost, send it again")]
    SpoolUnavailable(#[source] std::io::Error),
    #[error("the body does not have the digest that it was sent under")]
    UploadMismatch,
    #[error("{0} contents of the folder were not uploaded")]
    UploadIncomplete(usize),
    #[error("header `{0}` is missing or unusable")]
    BadHeader(&'static str),
    #[error("this `Idempotency-Key` was used with another body")]
    KeyReused,
    #[error("the same request is under way; ask again in a moment")]
    RequestUnderWay,
    #[error("`X-Hub-Signature-256` is missing or does not fit the body")]
    BadSignature,
    #[error("no site that you can build is made from its repository yet")]
    DeliveryUnmatched,
    #[error("its signature was wrong, so that nobody knows what it says: have it sent again by the repository's host")]
    DeliveryRefused,
    #[error("the site is built from a repository elsewhere")]
    RepositoryElsewhere,
    #[error("the repository takes all the room it may have")]
    RepositoryFull,
    #[error("the repository cannot be read or written now; nothing is lost, ask again")]
    RepositoryUnavailable(#[source] runtime::error::BoxError),
    #[error("there is no branch `{0}`")]
    BranchNotFound(Branch),
    #[error("`{0}` was changed meanwhile: look at it again")]
    BranchMoved(Branch),
    #[error("`{0}` and the live branch have changed the same lines")]
    MergeConflict(Branch),
    #[error("there is no such file")]
    FileNotFound,
    #[error("it is no text, or one of more than {0} bytes")]
    NoText(usize),
    #[error("a valid token is needed, as `Authorization: Bearer <token>`")]
    Unauthorized,
    #[error("this takes {0}")]
    Forbidden(Rank),
    #[error("your address has presented too many wrong tokens; wait {} s", seconds(*.0))]
    TooManyGuesses(Duration),
    #[error("you ask too often; wait {} s", seconds(*.0))]
    TooManyRequests(Duration),
    #[error("this link was used before, or its time is over; ask for another")]
    LinkOver,
    #[error("signing in did not succeed; begin again")]
    SignInFailed,
    #[error("nobody here knows you yet; open the link of an invitation, and sign in there")]
    NotInvited,
    #[error("the provider that vouches for people cannot be reached, try again")]
    ProviderUnavailable(#[source] runtime::error::BoxError),
    #[error("your account at GitHub is not connected, or no longer: connect it on the page of your account")]
    GithubNotConnected,
    #[error("GitHub refuses this to your account there: it answered {0}")]
    GithubRefused(StatusCode),
    #[error("GitHub cannot be asked now, try again")]
    GithubUnavailable(#[source] runtime::error::BoxError),
    #[error("the request comes from another site")]
    CrossSite,
    #[error("this form was not made for your session, or before it; load its page again")]
    StaleForm,
    #[error("there is no such host, or it is of a site that you may not know of")]
    HostNotFound,
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address does not know the method")]
    MethodNotAllowed,
    #[error("as many live streams are open as this server allows")]
    TooManyStreams,
    #[error("the log cannot be reached; nothing is lost, ask again")]
    LogUnavailable(#[source] runtime::Error),
    #[error(
        "another version of this program has stated a fact that this one does not know; ask again when it is upgraded"
    )]
    NewerFacts(#[source] runtime::Error),
    #[error("the read model cannot be reached; commands still work, ask again")]
    ReadModelUnavailable(#[source] projections::Error),
    #[error("the object store cannot be reached, ask again")]
    StoreUnavailable(#[source] storage::Error),
    #[error("something is wrong on our side; the log of this server knows what")]
    Internal(#[source] runtime::error::BoxError),
}

/// The body of a problem answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body {
    /// Explains the code.
    #[serde(rename = "type")]
    type_url: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// This problem, for people.
    detail: String,
    /// The kind of problem, for programs; it never changes.
    code: &'static str,
}

impl Problem {
    /// The stable code, its HTTP status and its title.
    pub(crate) const fn kind(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Refused(refusal) => refused(refusal),
            Self::InvalidInput(_) => ("invalid_input", StatusCode::UNPROCESSABLE_ENTITY, "Invalid input"),
            Self::RepositoryNotAllowed(_) => {
                ("repository_not_allowed", StatusCode::UNPROCESSABLE_ENTITY, "Repository not allowed")
            }
            Self::ReceiverNotAllowed(_) => {
                ("receiver_not_allowed", StatusCode::UNPROCESSABLE_ENTITY, "Receiver not allowed")
            }
            Self::BackendNotAllowed(_) => {
                ("backend_not_allowed", StatusCode::UNPROCESSABLE_ENTITY, "Backend not allowed")
            }
            Self::MalformedPayload(_) => ("malformed_payload", StatusCode::BAD_REQUEST, "Malformed payload"),
            Self::ImportRefused(..) => ("import_refused", StatusCode::UNPROCESSABLE_ENTITY, "Import refused"),
            Self::UnsupportedMediaType(_) => {
                ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type")
            }
            Self::BodyTooLarge(_) => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::BodyTooSlow => ("body_too_slow", StatusCode::REQUEST_TIMEOUT, "Body too slow"),
            Self::TooManyBodies => ("too_many_bodies", StatusCode::SERVICE_UNAVAILABLE, "Too many bodies"),
            Self::TooManyBodiesOfOne => {
                ("too_many_bodies_of_one", StatusCode::TOO_MANY_REQUESTS, "Too many bodies from one address")
            }
            Self::SpoolUnavailable(_) => ("spool_unavailable", StatusCode::SERVICE_UNAVAILABLE, "No room for the body"),
            Self::UploadMismatch => ("upload_mismatch", StatusCode::UNPROCESSABLE_ENTITY, "Another digest"),
            Self::UploadIncomplete(_) => ("upload_incomplete", StatusCode::CONFLICT, "Not all was uploaded"),
            Self::BadHeader(_) => ("bad_header", StatusCode::BAD_REQUEST, "Bad header"),
            Self::KeyReused => ("idempotency_key_reused", StatusCode::UNPROCESSABLE_ENTITY, "Key used before"),
            Self::RequestUnderWay => ("request_under_way", StatusCode::CONFLICT, "Request under way"),
            Self::BadSignature => ("bad_signature", StatusCode::UNAUTHORIZED, "Bad signature"),
            Self::DeliveryUnmatched => ("delivery_unmatched", StatusCode::CONFLICT, "Delivery for nobody"),
            Self::DeliveryRefused => ("delivery_refused", StatusCode::CONFLICT, "Delivery refused"),
            Self::RepositoryElsewhere => ("repository_elsewhere", StatusCode::CONFLICT, "Repository elsewhere"),
            Self::RepositoryFull => ("repository_full", StatusCode::INSUFFICIENT_STORAGE, "Repository full"),
            Self::RepositoryUnavailable(_) => {
                ("repository_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Repository unavailable")
            }
            Self::BranchNotFound(_) => ("branch_not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::BranchMoved(_) => ("branch_moved", StatusCode::CONFLICT, "Conflict"),
            Self::MergeConflict(_) => ("merge_conflict", StatusCode::CONFLICT, "Conflict"),
            Self::FileNotFound => ("file_not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::NoText(_) => ("no_text", StatusCode::UNPROCESSABLE_ENTITY, "No text"),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "Token needed"),
            Self::Forbidden(_) => ("forbidden", StatusCode::FORBIDDEN, "Not allowed"),
            Self::TooManyGuesses(_) => ("too_many_guesses", StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens"),
            Self::TooManyRequests(_) => ("too_many_requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::LinkOver => ("link_over", StatusCode::GONE, "Link over"),
            Self::SignInFailed => ("sign_in_failed", StatusCode::BAD_REQUEST, "Not signed in"),
            Self::NotInvited => ("not_invited", StatusCode::FORBIDDEN, "Not invited"),
            Self::ProviderUnavailable(_) => {
                ("provider_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Provider unavailable")
            }
            Self::GithubNotConnected => ("github_not_connected", StatusCode::CONFLICT, "Not connected"),
            Self::GithubRefused(_) => ("github_refused", StatusCode::CONFLICT, "Refused by GitHub"),
            Self::GithubUnavailable(_) => ("github_unavailable", StatusCode::SERVICE_UNAVAILABLE, "GitHub unavailable"),
            Self::CrossSite => ("cross_site", StatusCode::FORBIDDEN, "Request from another site"),
            Self::StaleForm => ("stale_form", StatusCode::FORBIDDEN, "Form out of date"),
            Self::HostNotFound => ("host_not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::TooManyStreams => ("too_many_streams", StatusCode::SERVICE_UNAVAILABLE, "Too many live streams"),
            Self::LogUnavailable(_) => ("log_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Log unavailable"),
            Self::NewerFacts(_) => ("newer_facts", StatusCode::SERVICE_UNAVAILABLE, "Newer facts"),
            Self::ReadModelUnavailable(_) => {
                ("read_model_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Read model unavailable")
            }
            Self::StoreUnavailable(_) => ("store_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Store unavailable"),
            Self::Internal(_) => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }

    /// When to ask again, in seconds, if it is worth while.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        if let Self::TooManyGuesses(wait) | Self::TooManyRequests(wait) = self {
            return Some(seconds(*wait));
        }
        let passes = matches!(self.kind().1, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        passes.then_some(RETRY_AFTER_S)
    }

    /// Another refusal in the place of this one; any other problem as it is.
    pub(crate) fn instead(self, of: &Refusal, other: Refusal) -> Self {
        if matches!(&self, Self::Refused(refusal) if refusal == of) { other.into() } else { self }
    }

    /// A text that is not what its type demands.
    pub(crate) fn invalid(error: impl std::fmt::Display) -> Self {
        Self::InvalidInput(error.to_string())
    }
}

/// Rounded up: whoever waits so long has waited long enough.
const fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000) as u64
}

const fn refused(refusal: &Refusal) -> (&'static str, StatusCode, &'static str) {
    let (status, title) = match refusal {
        Refusal::SiteNotFound
        | Refusal::OrganizationNotFound
        | Refusal::BuildNotFound
        | Refusal::DeployNotFound(_)
        | Refusal::MemberNotFound
        | Refusal::UserNotFound
        | Refusal::InvitationNotFound
        | Refusal::IdentityNotFound
        | Refusal::TokenNotFound
        | Refusal::ShareLinkNotFound
        | Refusal::ReceiverNotFound
        | Refusal::NoticeNotFound
        | Refusal::RouteNotFound
        | Refusal::DomainNotFound
        | Refusal::AliasNotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
        Refusal::SiteChanged { .. } | Refusal::OrganizationChanged { .. } | Refusal::ReceiverChanged { .. } => {
            (StatusCode::PRECONDITION_FAILED, "Precondition failed")
        }
        Refusal::SourceTokenNeedsHttps => (StatusCode::UNPROCESSABLE_ENTITY, "Not over HTTPS"),
        Refusal::VariableReserved(_) | Refusal::DomainReserved => (StatusCode::UNPROCESSABLE_ENTITY, "Reserved"),
        Refusal::OrganizationSuspended { .. } | Refusal::UserSuspended { .. } => (StatusCode::FORBIDDEN, "Suspended"),
        Refusal::InvitationOver => (StatusCode::GONE, "Over"),
        Refusal::SiteErased | Refusal::DeployCollected => (StatusCode::GONE, "Gone"),
        Refusal::SiteExists
        | Refusal::RouteTaken { .. }
        | Refusal::DomainTaken
        | Refusal::TooManyDomains
        | Refusal::OrganizationFull { .. }
        | Refusal::CleanUpNotDue
        | Refusal::OwnSuspension
        | Refusal::LastManager
        | Refusal::TooManyVariables
        | Refusal::TooManyShareLinks
        | Refusal::TokenExists
        | Refusal::ReceiverExists
        | Refusal::TooManyReceivers
        | Refusal::InvitationExists
        | Refusal::IdentityTaken
        | Refusal::OrganizationExists
        | Refusal::SiteNameRetired
        | Refusal::BuildEnded
        | Refusal::BuildNotDispatched
        | Refusal::AttemptSuperseded { .. }
        | Refusal::BuildNotEnded
        | Refusal::DeployNotSynced
        | Refusal::OlderBuild { .. }
        | Refusal::SiteLocked { .. }
        | Refusal::AliasMoved { .. } => (StatusCode::CONFLICT, "Conflict"),
    };
    (refusal.code(), status, title)
}

impl From<runtime::Error> for Problem {
    fn from(error: runtime::Error) -> Self {
        use runtime::Error;
        match error {
            Error::Unavailable { .. }
            | Error::Denied { .. }
            | Error::Unproved { .. }
            | Error::Silent { .. }
            | Error::Contended { .. }
            | Error::Rejected { .. } => Self::LogUnavailable(error),
            Error::Newer { .. } => Self::NewerFacts(error),
            Error::Unreadable { .. } | Error::Corrupt { .. } | Error::WrongKey { .. } => Self::Internal(error.into()),
        }
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::Failed(error) => error.into(),
        }
    }
}

impl From<projections::Error> for Problem {
    fn from(error: projections::Error) -> Self {
        Self::ReadModelUnavailable(error)
    }
}

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        Self::StoreUnavailable(error)
    }
}

impl From<events::ids::Invalid> for Problem {
    fn from(error: events::ids::Invalid) -> Self {
        Self::invalid(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, status, title) = self.kind();
        report(&self, code, status);
        let type_url = format!("{TYPE_BASE}/{code}");
        let body = Body { type_url, title, status: status.as_u16(), detail: self.to_string(), code };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthorized) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Our own faults go to the log with all that led to them, once, where the answer is made; what the domain refused is told in a
/// line. What anybody may send without being known is not.
pub(crate) fn report(problem: &Problem, code: &str, status: StatusCode) {
    let is_refusal = matches!(
        problem,
        Problem::Refused(_)
            | Problem::Forbidden(_)
            | Problem::RepositoryNotAllowed(_)
            | Problem::ReceiverNotAllowed(_)
            | Problem::BackendNotAllowed(_)
    );
    if is_refusal && status != StatusCode::NOT_FOUND {
        tracing::info!(code, "refused: {problem}");
    }
    if status.is_server_error() {
        tracing::warn!(code, error = problem as &dyn std::error::Error, "a request could not be answered");
    }
}

#[cfg(test)]
pub(crate) mod tests;
