//! Mail: by the operator's server, over connections that nobody listens on.

use journeys::{Platform, Post};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_invitation_and_a_notice_are_sent_by_the_mail_server_that_an_operator_names() {
    let post = Post::start().await;
    let (url, certificate) = (post.url_file(), post.certificate());
    let options = ["--sandbox", "bubblewrap", "--mail-from", "Pages <pages@mail.test>", "--smtp-url-file"];
    let options: Vec<&str> = options.into_iter().chain([url.to_str().unwrap()]).collect();
    let platform = Platform::start_with_variables(&[("SSL_CERT_FILE", certificate.to_str().unwrap())], &options).await;
    platform.site("mailed", json!({})).await;
    let invite = json!({ "email": "ben@mail.test", "role": "user" });
    let made: Value =
        platform.api().send(Method::POST, "/organizations/mailed/invitations", &invite).await.expect(201).json();
    assert_eq!(made["mailed"], true);
    let mail = post.mail("ben@mail.test", "Invitation to mailed").await;
    let link = made["url"].as_str().unwrap();
    assert!(mail.lines().any(|line| line == link), "{link} is not in {mail}");
    assert!(mail.contains("From: Pages <pages@mail.test>"), "{mail}");

    let home = tempfile::tempdir().unwrap();
    let user = |arguments: &[&str], input: &str| {
        let output = platform.as_user(home.path(), arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    user(&["login", platform.web()], &format!("{}\n", platform.token()));
    user(&["notices", "add", "mailed", "--kind", "email", "--name", "Ada"], "ada@mail.test\n");
    let listed: Value = serde_json::from_str(&user(&["notices", "list", "mailed", "--json"], "")).unwrap();
    assert_eq!((&listed[0]["kind"], &listed[0]["address"]), (&json!("email"), &json!("ada@mail.test")));
    assert_eq!(listed[0]["wants"], json!(["build_failed", "promoted"]));
    user(&["notices", "test", "mailed", listed[0]["id"].as_str().unwrap()], "");
    let mail = post.mail("ada@mail.test", "mailed: ").await;
    assert!(mail.contains("To: ada@mail.test") && mail.contains("/sites/mailed/notices"), "{mail}");
}
