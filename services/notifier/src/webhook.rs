//! Signed webhooks by Standard Webhooks (1.0): any server can tell that they come from here, and that they are fresh.

use crate::news::News;
use crate::tried::{Tried, Why};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer::Http;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, header};
use runtime::clock;
use serde_json::{Value, json};
use sha2::Sha256;
use time::format_description::well_known::Rfc3339;

/// What secrets begin with, so that people and those who look for leaked ones know them.
const PREFIX: &str = "whsec_";

pub(crate) async fn send(http: &Http, address: &str, secret: &str, news: &News) -> Tried {
    let (id, body) = (news.notice.to_string(), body(news).to_string());
    let timestamp = clock::now().unix_timestamp();
    let Some(signature) = sign(secret, &id, timestamp, &body) else {
        return Tried::Never(Why::said("its secret cannot be read"));
    };
    let request = Request::post(address)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body.into());
    match request {
        Ok(request) => Tried::of(http.send(request).await),
        Err(_) => Tried::Never(Why::said("its address is not a URL")),
    }
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

fn body(news: &News) -> Value {
    let build = news.build.as_ref().map(|build| {
        json!({
            "id": build.id, "number": build.number, "branch": build.branch, "commit": build.commit,
            "summary": build.summary, "reason": build.reason,
        })
    });
    json!({
        "type": news.occasion,
        "timestamp": news.time.format(&Rfc3339).unwrap_or_default(),
        "data": {
            "text": news.sentence,
            "sequence": news.sequence,
            "site": { "id": news.site.id, "name": news.site.name, "organization": news.site.organization },
            "build": build,
            "alias": news.alias,
            "address": news.address,
            "url": news.url,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::sign;

    /// The example of the specification.
    #[test]
    fn a_signature_is_the_one_that_the_specification_shows() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(sign("no secret", "id", 0, body), None);
    }
}
