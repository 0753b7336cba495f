//! The forms of routes.

use super::super::form::form;
use crate::routing::IMPORT_ROUTES_MAX;
use events::routing::{DESTINATION_MAX, HOST_MAX, ROUTE_PATH_MAX};
use maud::{Markup, html};

pub(super) fn filter(site: &str, host: &str) -> Markup {
    html! {
        form.fields method="get" action="/routes" role="search" {
            @if !site.is_empty() { input type="hidden" name="site" value=(site); }
            label for="filter-host" { "Only of the host" }
            input #filter-host name="host" value=(host) maxlength=(HOST_MAX) autocomplete="off";
            button { "Show" }
        }
    }
}

pub(super) fn adding(host: &str) -> Markup {
    html! {
        details.card #add {
            summary { "Add a route" }
            (form("fields", "/routes", &html! {
                label for="host" { "Host" }
                input #host name="host" required value=(host) maxlength=(HOST_MAX) placeholder="www.example.org" autocomplete="off";
                label for="path" { "Path" }
                input #path name="path" required maxlength=(ROUTE_PATH_MAX) pattern="/.*" placeholder="/old" autocomplete="off";
                label for="kind" { "Of" }
                select #kind name="kind" { option value="exact" { "this path" } option value="prefix" { "this path and all below" } }
                label for="action" { "It" }
                select #action name="action" {
                    option value="redirect" { "leads to another address" }
                    option value="gone" { "is gone for good" }
                    option value="site" { "shows the live pages of a site" }
                    option value="backend" { "is answered by another server" }
                }
                label for="to" { "Address that it leads to" }
                input #to name="to" maxlength=(DESTINATION_MAX) placeholder="/new or https://example.org/new" autocomplete="off";
                label for="status" { "How that is told" }
                select #status name="status" {
                    option value="301" { "301, for good" } option value="302" { "302, for now" }
                    option value="308" { "308, for good and with the same method" } option value="307" { "307, for now and with the same method" }
                }
                label for="segments" { "The rest of the path and the query" }
                select #segments name="segments" {
                    option value="" { "as usual: go on if all below is led, else not" } option value="preserve" { "go on" } option value="ignore" { "are dropped" }
                }
                label for="page" { "Page that says that it is gone" }
                input #page name="page" maxlength=(ROUTE_PATH_MAX) pattern="/.*" placeholder="/gone.html" autocomplete="off";
                label for="site" { "Site that is shown" }
                input #site name="site" placeholder="docs" autocomplete="off";
                label for="backend" { "Server that answers" }
                input #backend name="backend" maxlength="300" placeholder="https://api.example.org" autocomplete="off";
                button.primary { "Add" }
            }))
        }
    }
}

pub(super) fn leaving() -> Markup {
    html! {
        fieldset.choices {
            legend { "Leave behind" }
            label { input type="radio" name="leave" value="" checked; " nothing: the site of the host answers again, if it has one" }
            label { input type="radio" name="leave" value="gone"; " that it is gone for good" }
            label { input type="radio" name="leave" value="redirect"; " a redirect, to the address below" }
        }
        label for="to" { "Address" }
        input #to name="to" maxlength=(DESTINATION_MAX) placeholder="/new or https://example.org/new" autocomplete="off";
        button.danger { "Take away" }
    }
}

pub(super) fn importing(table: &str) -> Markup {
    html! {
        details.card #import open[!table.is_empty()] {
            summary { "Add many" }
            (form("fields", "/routes/import", &html! {
                label for="table" { "Lines of CSV, the first with the names of the columns" }
                textarea #table name="table" required rows="8" spellcheck="false" placeholder="host,path,kind,action,to,status" aria-describedby="table-help" { (table) }
                small #table-help { "All of them are added or none, at most " (IMPORT_ROUTES_MAX) " at once. A longer table takes " code { "pagefold routes import" } "." }
                button name="try_only" value="1" { "Try" }
                button.primary { "Add all" }
            }))
        }
    }
}
