//! CDEvents 0.5, as CloudEvents over HTTP in binary mode.

use crate::news::{Build, Change, News};
use crate::tried::{Tried, Why};
use cdevents_sdk::latest::{
    environment_modified, pipelinerun_finished, pipelinerun_queued, pipelinerun_started, service_deployed,
    service_removed, service_rolledback, service_upgraded,
};
use cdevents_sdk::{CDEvent, Content, Id, Subject, Uri, UriReference};
use dialer::Http;
use events::receiver::Occasion;
use http::{Request, header};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

/// A test is an event of ours: the specification has none for it.
const TESTED: &str = "dev.cdeventsx.pagefold-receiver.tested.0.1.0";

pub(crate) async fn send(http: &Http, address: &str, token: &str, news: &News) -> Tried {
    let Ok(event) = event(news) else { return Tried::Never(Why::said("it cannot be told as a CDEvent")) };
    let mut request = Request::post(address)
        .header(header::CONTENT_TYPE, "application/json")
        .header("ce-specversion", "1.0")
        .header("ce-id", event.id().as_str())
        .header("ce-source", event.source().as_str())
        .header("ce-type", event.ty())
        .header("ce-subject", event.subject().id().as_str())
        .header("ce-time", news.time.format(&Rfc3339).unwrap_or_default());
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    match request.body(json!(event).to_string().into()) {
        Ok(request) => Tried::of(http.send(request).await),
        Err(_) => Tried::Never(Why::said("its address is not a URL, or its token is none")),
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn event(news: &News) -> Result<CDEvent, Failed> {
    let (id, content) = told(news)?;
    let source: UriReference = format!("/pagefold/sites/{}", news.site.id).parse()?;
    let subject = Subject::from(content).with_id(id).with_source(source.clone());
    let event = CDEvent::from(subject).with_id(news.notice.to_string().try_into()?).with_source(source);
    let data = json!({ "text": news.sentence, "site": news.site.name, "url": news.url, "address": news.address });
    let event = event.with_timestamp(news.time).with_custom_data(data);
    Ok(event.with_custom_data_content_type("application/json".to_owned()))
}

/// What it is about, and what happened to that: a build is a run of the pipeline of its site, a site is a service, and an alias one of
/// its environments.
fn told(news: &News) -> Result<(Id, Content), Failed> {
    let site: Id = news.site.id.to_string().try_into()?;
    let run = || news.build.as_ref().map_or_else(|| site.clone().into(), |build| build.id.to_string()).try_into();
    let (pipeline_name, uri) = (news.site.name.clone(), uri(news)?);
    let alias = news.alias.as_ref().map_or_else(|| "live".to_owned(), ToString::to_string);
    let environment: Id = format!("{site}/{alias}").try_into()?;
    Ok(match news.occasion {
        Occasion::BuildQueued => {
            let content = pipelinerun_queued::Content { pipeline_name: Some(pipeline_name), uri: Some(uri) };
            (run()?, content.into())
        }
        Occasion::BuildStarted => (run()?, pipelinerun_started::Content { pipeline_name, uri }.into()),
        Occasion::BuildSucceeded => (run()?, finished(news, pipelinerun_finished::ContentOutcome::Success, uri)),
        Occasion::BuildFailed => (run()?, finished(news, pipelinerun_finished::ContentOutcome::Failure, uri)),
        Occasion::BuildCanceled => (run()?, finished(news, pipelinerun_finished::ContentOutcome::Cancel, uri)),
        Occasion::Promoted => (site, shown(news, environment)?),
        Occasion::Removed => {
            let environment = Some(service_removed::ContentEnvironment { id: environment, source: None });
            (site, service_removed::Content { environment }.into())
        }
        Occasion::Locked | Occasion::Unlocked => {
            let content = environment_modified::Content { name: Some(pipeline_name), uri: Some(uri) };
            (environment, content.into())
        }
        Occasion::Test => {
            let json = json!({ "text": news.sentence });
            (site, Content::Custom { ty: TESTED.to_owned(), json })
        }
    })
}

fn finished(news: &News, outcome: pipelinerun_finished::ContentOutcome, uri: Uri) -> Content {
    let reason = news.build.as_ref().map(|build| build.reason.clone()).filter(|reason| !reason.is_empty());
    let pipeline_name = Some(news.site.name.clone());
    pipelinerun_finished::Content { errors: reason, outcome: Some(outcome), pipeline_name, uri: Some(uri) }.into()
}

/// An alias shows something: for the first time, or in place of something older or newer.
fn shown(news: &News, id: Id) -> Result<Content, Failed> {
    let commit = news.build.as_ref().and_then(|Build { commit, .. }| commit.clone());
    let version = commit.map_or_else(|| news.sequence.to_string(), |commit| commit.to_string());
    let artifact_id: Id = format!("pkg:generic/{}@{version}", news.site.name).try_into()?;
    Ok(match news.change {
        Change::First => {
            let environment = service_deployed::ContentEnvironment { id, source: None };
            service_deployed::Content { artifact_id, environment }.into()
        }
        Change::Forward => {
            let environment = service_upgraded::ContentEnvironment { id, source: None };
            service_upgraded::Content { artifact_id, environment }.into()
        }
        Change::Back => {
            let environment = service_rolledback::ContentEnvironment { id, source: None };
            service_rolledback::Content { artifact_id, environment }.into()
        }
    })
}

/// Where a person reads more, or what it is about if nobody said where that is.
fn uri(news: &News) -> Result<Uri, Failed> {
    let text = news.url.clone().unwrap_or_else(|| format!("urn:uuid:{}", news.site.id));
    Ok(text.parse()?)
}
