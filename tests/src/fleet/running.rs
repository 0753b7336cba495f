//! A server of a fleet that runs.

use crate::process::{self, Signal};
use std::process::Child;

/// It is killed when it is dropped, with all that it has started.
pub(super) struct Running(pub(super) Child);

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            process::signal_tree(self.pid(), Signal::KILL);
        }
        let _ = self.0.wait();
    }
}
