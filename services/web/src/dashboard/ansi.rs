//! Logs as programs write them for terminals: colours become classes, every other control sequence is left out (ECMA-48).

use maud::{Markup, PreEscaped, html};
use std::fmt::Write;

/// The classes of the eight colours, in the order of their codes.
const COLOURS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// How text looks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Look {
    bold: bool,
    colour: Option<usize>,
}

impl Look {
    /// After the parameters of one "select graphic rendition".
    fn after(mut self, parameters: &str) -> Self {
        let mut codes = parameters.split(';').map(|code| code.parse().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => self = Self::default(),
                1 => self.bold = true,
                22 => self.bold = false,
                30..=37 => self.colour = Some(code - 30),
                90..=97 => self.colour = Some(code - 90),
                39 => self.colour = None,
                // Colours out of a palette or by their parts: the codes that follow are none of ours.
                38 | 48 => drop(codes.by_ref().next().map(|kind| codes.nth(if kind == 5 { 0 } else { 2 }))),
                _ => {}
            }
        }
        self
    }

    /// The text with its colours, from this look on; afterwards this is how it ends.
    fn paint(&mut self, text: &str) -> Markup {
        let mut out = String::with_capacity(text.len());
        for (part, sequence) in parts(text) {
            append(&mut out, part, *self);
            if let Some(parameters) = sequence.strip_suffix('m') {
                *self = self.after(parameters);
            }
        }
        PreEscaped(out)
    }

    fn classes(self) -> String {
        let colour = self.colour.and_then(|colour| COLOURS.get(colour)).map(|name| format!("ansi-{name}"));
        let bold = self.bold.then(|| "ansi-bold".to_owned());
        [colour, bold].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// The text with its colours.
pub(super) fn coloured(text: &str) -> Markup {
    let mut look = Look::default();
    look.paint(text)
}

/// The lines of a text, each with its colours, which go on from line to line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Markup> {
    let mut look = Look::default();
    text.lines().map(move |line| look.paint(line))
}

/// The text without its colours.
pub(super) fn plain(text: &str) -> String {
    parts(text).map(|(part, _)| part).collect()
}

fn append(out: &mut String, part: &str, look: Look) {
    if part.is_empty() {
        return;
    }
    let (text, classes) = (html! { (part) }.into_string(), look.classes());
    // To write into a text never fails.
    let _ =
        if classes.is_empty() { out.write_str(&text) } else { write!(out, "<span class=\"{classes}\">{text}</span>") };
}

/// Stretches of text, each with what is in the control sequence that ends it, and nothing for any other sequence.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((part, after)) = text.split_once('\u{1b}') else {
            rest = None;
            return Some((text, ""));
        };
        let Some(after) = after.strip_prefix('[') else {
            let mut characters = after.chars();
            characters.next();
            rest = Some(characters.as_str());
            return Some((part, ""));
        };
        // Parameters and intermediates, then one final byte.
        let end = after.find(|character| ('@'..='~').contains(&character));
        let end = end.map_or(after.len(), |end| end + 1);
        let (sequence, after) = after.split_at(end);
        rest = Some(after);
        Some((part, sequence))
    })
}

#[cfg(test)]
mod tests {
    use super::{coloured, lines, plain};

    #[test]
    fn colours_become_classes_and_other_sequences_nothing() {
        for (text, expected) in [
            ("plain & <simple>", "plain &amp; &lt;simple&gt;"),
            ("\u{1b}[31mred\u{1b}[0m rest", "<span class=\"ansi-red\">red</span> rest"),
            (
                "\u{1b}[1;92mgood\u{1b}[22m!",
                "<span class=\"ansi-green ansi-bold\">good</span><span class=\"ansi-green\">!</span>",
            ),
            ("\u{1b}[38;5;208mpalette\u{1b}[39m", "palette"),
            ("\u{1b}[38;2;1;2;3;1mparts", "<span class=\"ansi-bold\">parts</span>"),
            ("a\u{1b}[2Kb\u{1b}7c\u{1b}", "abc"),
            ("cut off \u{1b}[3", "cut off "),
        ] {
            assert_eq!(coloured(text).into_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn colours_go_on_from_line_to_line_and_can_be_left_out() {
        let text = "a \u{1b}[31mred\nstill\u{1b}[0m\nplain\n";
        let painted: Vec<String> = lines(text).map(|line| line.into_string()).collect();
        assert_eq!(
            painted,
            ["a <span class=\"ansi-red\">red</span>", "<span class=\"ansi-red\">still</span>", "plain"]
        );
        assert_eq!(plain(text), "a red\nstill\nplain\n");
    }
}
