//! A stream of bytes as log lines: invalid UTF-8 replaced, terminal colours kept, over-long lines split.
//!
//! Whatever else would move a terminal's cursor or turn text around is taken out, so that a line is read where it stands and
//! none can be painted over the mark that says whose it is.

use crate::mask::Mask;
use std::mem;

/// The longest line passed on; a longer one is split, so that a build cannot make us hold its output in memory.
pub const LINE_BYTES: usize = 8 * 1024;

/// What has been read since the last line end.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    /// Whether the last line was ended by a return, which a line end may still follow.
    returned: bool,
    /// What is not to be seen in them.
    mask: Mask,
}

impl Lines {
    /// Lines in which values are masked.
    pub(crate) fn masked(mask: Mask) -> Self {
        Self { mask, ..Self::default() }
    }

    /// Takes the next bytes and gives the lines they complete, without line ends.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let fit = self.mask.push(bytes);
        self.split(&fit)
    }

    fn split(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            self.rest.extend_from_slice(part);
            let end = self.rest.pop_if(|last| matches!(last, b'\n' | b'\r'));
            while self.rest.len() > LINE_BYTES {
                let later = self.rest.split_off(cut(&self.rest));
                lines.push(text(&mem::replace(&mut self.rest, later)));
            }
            // A lone return starts a line anew, as progress bars do; before a line end it is a part of that.
            let was_ended = mem::replace(&mut self.returned, end == Some(b'\r') && !self.rest.is_empty());
            let is_line = match end {
                Some(b'\n') => !(was_ended && self.rest.is_empty()),
                Some(_) => !self.rest.is_empty(),
                None => {
                    self.returned = was_ended && self.rest.is_empty();
                    false
                }
            };
            if is_line {
                lines.push(text(&mem::take(&mut self.rest)));
            }
        }
        lines
    }

    /// What is left when nothing follows: the last line, if it had no end, and what waited to be told from a value.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let held = self.mask.finish();
        let mut lines = self.split(&held);
        lines.extend((!self.rest.is_empty()).then(|| text(&self.rest)));
        lines
    }
}

/// Where to split an over-long line: at [`LINE_BYTES`] or up to three bytes before, where a character starts.
fn cut(line: &[u8]) -> usize {
    let starts = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0b1100_0000 != 0b1000_0000);
    (LINE_BYTES - 3..=LINE_BYTES).rev().find(starts).unwrap_or(LINE_BYTES)
}

fn text(bytes: &[u8]) -> String {
    visible(&String::from_utf8_lossy(bytes))
}

/// The text as it can be seen, with its colours.
pub(crate) fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first == '\u{1b}' { escape(rest) } else { first.len_utf8() };
        let (piece, later) = rest.split_at(length);
        if is_colour(piece) || !is_hidden(first) {
            seen.push_str(piece);
        }
        rest = later;
    }
    seen
}

/// The text without its colours.
pub(crate) fn plain(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first == '\u{1b}' { escape(rest) } else { first.len_utf8() };
        if first != '\u{1b}' {
            seen.push(first);
        }
        rest = &rest[length..];
    }
    seen
}

/// The length of the escape sequence that the text begins with (ECMA-48).
fn escape(text: &str) -> usize {
    let after = text.get(1..).unwrap_or_default();
    let inside = after.get(1..).unwrap_or_default();
    let end = match after.chars().next() {
        Some('[') => inside.find(|character: char| !matches!(character, ' '..='?')).map(|end| {
            let last = inside[end..].chars().next();
            end + last.filter(|last| matches!(last, '@'..='~')).map_or(0, char::len_utf8)
        }),
        Some(']' | 'P' | 'X' | '^' | '_') => inside.find(['\u{7}', '\u{1b}', '\u{9c}']),
        _ => return 1,
    };
    2 + end.unwrap_or(inside.len())
}

fn is_colour(piece: &str) -> bool {
    let inside = piece.strip_prefix("\u{1b}[").and_then(|rest| rest.strip_suffix('m'));
    inside.is_some_and(|inside| inside.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')))
}

/// Control characters but for tabs, line ends of other alphabets, and what turns the direction of text around.
fn is_hidden(character: char) -> bool {
    let turns =
        matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    (character.is_control() && character != '\t') || turns || matches!(character, '\u{2028}' | '\u{2029}')
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
    fn a_return_starts_a_line_anew() {
        assert_eq!(all(&[b"10%\r20%\r\n", b"a\r", b"\nb\r", b"c\n\r\n"]), ["10%", "20%", "a", "b", "c", ""]);
    }

    #[test]
    fn only_colours_are_left_of_what_a_terminal_obeys() {
        for (given, seen) in [
            ("\u{1b}[1;31mred\u{1b}[m", "\u{1b}[1;31mred\u{1b}[m"),
            ("over\u{1b}[1Gwritten", "overwritten"),
            ("\u{1b}[2Jcleared\u{1b}[?25l", "cleared"),
            ("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\", "link\\"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[\u{1b}[31mx", "\u{1b}[31mx"),
            ("a\u{8}\u{8}b\u{9b}2Kc\u{202e}d\u{2028}e\tf", "ab2Kcdef".replace("ef", "e\tf").as_str()),
        ] {
            assert_eq!(super::visible(given), seen, "{given:?}");
        }
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
