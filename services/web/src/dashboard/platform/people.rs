//! Everybody of the installation, page by page.

use super::super::layout::moment;
use super::super::link::link;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use events::UserId;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// People on a page.
const ROWS: u32 = 50;

pub(super) async fn part(view: &View, after: &str) -> Result<Markup, Problem> {
    let after = Some(after.trim()).filter(|after| !after.is_empty()).map(str::parse::<UserId>).transpose();
    let after = after.map_err(|_| Problem::InvalidInput("`people` is not a place in this list".to_owned()))?;
    let mut rows = view.model.users(ROWS + 1, after).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| more).map(|last| link("/platform", &[("people", &last.id.to_string())]));
    let known = people::all(view, &rows.iter().map(|row| row.id).collect::<BTreeSet<_>>()).await?;
    let told = |id: &UserId| {
        let known = known.get(id).cloned().unwrap_or_default();
        (known.name.unwrap_or_else(|| people::ERASED.to_owned()), known.email.unwrap_or_default())
    };
    Ok(html! {
        @if rows.is_empty() { p.empty { "Nobody is known yet: people come by invitation to an organization." } }
        @else { div.scroll { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Mail" } th scope="col" { "Role" } th scope="col" { "Last signed in" } th scope="col" { "Known since" } } }
            tbody { @for row in &rows {
                @let (name, email) = told(&row.id);
                tr {
                    th scope="row" { a href=(link("/audit", &[("actor", &format!("user:{}", row.id))])) { (name) } }
                    td { (email) }
                    td { @match row.role { Some(role) => (role), None => "–" } }
                    td { @match row.signed_in_at { Some(at) => (moment(at)), None => "never" } }
                    td { (moment(row.created_at)) }
                }
            } }
        } } }
        @if let Some(next) = next { p { a href=(next) rel="next" { "More people" } } }
    })
}
