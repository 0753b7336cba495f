//! The stories of the platform from end to end, each told on the real executable, its real servers and real git.

#![expect(clippy::unwrap_used, reason = "a part of a story that fails fails the story")]

mod access;
mod action;
mod architecture;
mod attacks;
mod attempts;
mod browsing;
mod building;
mod circles;
mod command_line;
mod death;
mod document;
mod domains;
mod door;
mod edge;
mod explaining;
mod faults;
mod growth;
mod guide;
mod lock;
mod mail;
mod notices;
mod operators;
mod organizations;
mod private;
mod provisioning;
mod publishing;
mod pulls;
mod queue;
mod read_model;
mod removal;
mod replay;
mod repository_says;
mod rollback;
mod routes;
mod sandboxes;
mod secrets;
mod separate;
mod sources;
mod starting;
mod templates;
mod upgrade;
mod uploading;
mod variables;
mod webhook;
