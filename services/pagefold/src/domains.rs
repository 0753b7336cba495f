//! `pagefold domains`: names that are other people's and show a site, over the API.

use crate::access::Access;
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

/// What to do with the domains of a site.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them by name
    List {
        /// The name or the id of the site
        site: String,
    },
    /// Add one and print the records that its people have to set; once more, and they are looked at anew
    Add {
        /// The name or the id of the site
        site: String,
        /// The name, such as www.example.org
        name: String,
        /// It only leads to this other domain of the site
        #[arg(long, value_name = "NAME")]
        redirect_to: Option<String>,
    },
    /// Tell how far one has come, and what is wrong with it
    Show {
        /// The name or the id of the site
        site: String,
        /// The name
        name: String,
    },
    /// Take one away from its site
    Remove {
        /// The name or the id of the site
        site: String,
        /// The name
        name: String,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::List { site } => {
            let domains = api.all(&format!("/sites/{site}/domains")).await?;
            print.list(&domains, &["name", "state", "redirect_to", "error"])
        }
        Command::Add { site, name, redirect_to } => {
            let mut body = json!({ "name": name });
            if let Some(to) = redirect_to {
                body["redirect_to"] = json!(to);
            }
            let domain = api.post(&format!("/sites/{site}/domains"), body).await?;
            print.one(&domain, &told(&domain))
        }
        Command::Show { site, name } => {
            let domain = api.get(&format!("/sites/{site}/domains/{name}")).await?;
            print.one(&domain, &told(&domain))
        }
        Command::Remove { site, name } => {
            api.delete(&format!("/sites/{site}/domains/{name}")).await?;
            print.one(&json!({ "name": name }), &format!("domain {name} is removed"))
        }
    }
}

/// A domain in words: how far it is, what is wrong, and what to set.
fn told(domain: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} is {}", text(&domain["name"]), text(&domain["state"]))];
    lines.extend(domain["error"].as_str().map(|error| format!("  {error}")));
    for record in domain["records"].as_array().into_iter().flatten() {
        lines.push(format!("  {}  {}  {}", text(&record["type"]), text(&record["name"]), text(&record["value"])));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_told_with_what_is_wrong_and_what_to_set() {
        let records = json!([{ "type": "CNAME", "name": "www.example.org", "value": "docs.pages.test" }]);
        let domain = json!({ "name": "www.example.org", "state": "pending", "error": "no answer", "records": records });
        let expected = "www.example.org is pending\n  no answer\n  CNAME  www.example.org  docs.pages.test";
        assert_eq!(told(&domain), expected);
    }
}
