//! Sources, from real git servers and folders: which are fetched, how, and how much of them.

mod addresses;
mod checkouts;
mod git_host;
mod private;
mod space;
mod world;
