//! Both sandboxes, for real: the same promises are kept by bubblewrap and by Docker.

mod bounds;
mod builds;
mod choice;
mod io;
mod network;
mod place;
mod running;
mod sight;
mod stopping;
mod took;
mod variables;
mod versions;
mod weights;
