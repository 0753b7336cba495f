//! A stream of bytes as log lines: invalid UTF-8 replaced, terminal colours kept, over-long lines split.

use std::mem;

/// The longest line passed on; a longer one is split, so that a build cannot make us hold its output in memory.
pub const LINE_BYTES: usize = 8 * 1024;

/// What has been read since the last line end.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and gives the lines they complete, without line ends.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            let ended = self.rest.pop_if(|last| *last == b'\n').is_some();
            while self.rest.len() > LINE_BYTES {
                let later = self.rest.split_off(cut(&self.rest));
                lines.push(text(&mem::replace(&mut self.rest, later)));
            }
            if ended {
                self.rest.pop_if(|last| *last == b'\r');
                lines.push(text(&mem::take(&mut self.rest)));
            }
        }
        lines
    }

    /// The last line, if it had no end.
    pub(crate) fn finish(self) -> Option<String> {
        (!self.rest.is_empty()).then(|| text(&self.rest))
    }
}

/// Where to split an over-long line: at [`LINE_BYTES`] or up to three bytes before, where a character starts.
fn cut(line: &[u8]) -> usize {
    let starts = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0b1100_0000 != 0b1000_0000);
    (LINE_BYTES - 3..=LINE_BYTES).rev().find(starts).unwrap_or(LINE_BYTES)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, Lines};

    fn all(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found: Vec<String> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
        found.extend(lines.finish());
        found
    }

    #[test]
    fn lines_are_put_together_from_chunks() {
        assert_eq!(all(&[b"a", b"b\nc\r\n", b"\nlast"]), ["ab", "c", "", "last"]);
    }

    #[test]
    fn a_line_end_closes_the_stream_without_an_empty_line() {
        assert_eq!(all(&[b"a\n"]), ["a"]);
    }

    #[test]
    fn invalid_utf8_is_replaced_and_colours_stay() {
        assert_eq!(all(&[b"\x1b[31mred\xff\x1b[0m\n"]), ["\u{1b}[31mred\u{fffd}\u{1b}[0m"]);
    }

    #[test]
    fn an_over_long_line_is_split_between_characters() {
        let long = "é".repeat(LINE_BYTES);
        let lines = all(&[b"x", long.as_bytes(), b"\n"]);
        assert_eq!(lines.concat(), format!("x{long}"));
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES));
    }

    #[test]
    fn a_line_of_exactly_the_limit_stays_whole() {
        let exact = "y".repeat(LINE_BYTES);
        assert_eq!(all(&[exact.as_bytes(), b"\n"]), [exact]);
    }
}
