//! Takes what a site gives its builds out of what they print, wherever the chunks of it are cut.
//!
//! A value is found as it is, line by line, escaped as in JSON, URL-encoded, and in base64 at any place of a longer text, line
//! breaks in between. Only what may be the beginning of a value waits for what follows.

use crate::variables::Variables;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem;
use zeroize::Zeroizing;

/// Shortest line of a value of several that is masked by itself: a shorter one stands in many texts.
const LINE_MIN: usize = 8;
/// Characters of base64 after which a line break may be a part of it.
const WRAPS_AFTER: usize = 4;
/// What URL encoders leave as it is, the strict ones and those of browsers.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const COMPONENT: &AsciiSet = &STRICT.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// Finds the values of variables in a stream of bytes.
#[derive(Default)]
pub(crate) struct Mask {
    forms: Vec<Form>,
    /// The forms by their first byte.
    beginning: Vec<Vec<usize>>,
    /// What may be the beginning of a value.
    held: Zeroizing<Vec<u8>>,
}

/// One way to write a value.
struct Form {
    text: Zeroizing<Vec<u8>>,
    /// Whether line breaks may be in between.
    wraps: bool,
    shown: String,
}

enum Found {
    /// So many bytes of the input are the value.
    Whole(usize),
    /// All of the input may be its beginning.
    Part,
    Not,
}

impl Mask {
    pub(crate) fn of(variables: &Variables) -> Self {
        let mut forms = Vec::new();
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            let shown = format!("[masked {name}]");
            let form = |text: Vec<u8>, wraps| Form { text: Zeroizing::new(text), wraps, shown: shown.clone() };
            forms.extend(plain(value).into_iter().map(|text| form(text.into_bytes(), false)));
            forms.extend(encoded(value.as_bytes()).into_iter().map(|text| form(text.into_bytes(), true)));
        }
        let mut beginning = vec![Vec::new(); 256];
        for (index, form) in forms.iter().enumerate() {
            if let Some(at) = form.text.first().and_then(|first| beginning.get_mut(usize::from(*first))) {
                at.push(index);
            }
        }
        Self { forms, beginning, held: Zeroizing::default() }
    }

    /// Takes the next bytes and gives those that are known to be fit to print.
    pub(crate) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.forms.is_empty() {
            return Cow::Borrowed(bytes);
        }
        self.held.extend_from_slice(bytes);
        Cow::Owned(self.drain(false))
    }

    /// What is left when nothing follows.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.drain(true)
    }

    fn drain(&mut self, is_over: bool) -> Vec<u8> {
        let input = mem::take(&mut self.held);
        let (mut fit, mut rest) = (Vec::with_capacity(input.len()), input.as_slice());
        while let Some((first, later)) = rest.split_first() {
            let (mut longest, mut is_open) = (None, false);
            for form in self.starting_with(*first) {
                match form.find(rest) {
                    Found::Whole(length) if longest.is_none_or(|(most, _)| length > most) => {
                        longest = Some((length, &form.shown));
                    }
                    // What follows may make it a longer one.
                    Found::Part => is_open = true,
                    Found::Whole(_) | Found::Not => {}
                }
            }
            if is_open && !is_over {
                self.held = Zeroizing::new(rest.to_vec());
                break;
            }
            if let Some((length, shown)) = longest {
                fit.extend_from_slice(shown.as_bytes());
                rest = rest.get(length..).unwrap_or_default();
            } else {
                fit.push(*first);
                rest = later;
            }
        }
        fit
    }

    fn starting_with(&self, first: u8) -> impl Iterator<Item = &Form> {
        let indexes = self.beginning.get(usize::from(first)).into_iter().flatten();
        indexes.filter_map(|index| self.forms.get(*index))
    }
}

impl Form {
    fn find(&self, input: &[u8]) -> Found {
        let (mut wanted, mut rest) = (self.text.as_slice(), input);
        loop {
            let line = rest.iter().position(|byte| is_break(*byte)).filter(|_| self.wraps).unwrap_or(rest.len());
            let length = line.min(wanted.len());
            if wanted.get(..length) != rest.get(..length) {
                return Found::Not;
            }
            (wanted, rest) = (wanted.get(length..).unwrap_or_default(), rest.get(length..).unwrap_or_default());
            if wanted.is_empty() {
                return Found::Whole(input.len() - rest.len());
            }
            if rest.is_empty() {
                return Found::Part;
            }
            if self.text.len() - wanted.len() < WRAPS_AFTER || (length == 0 && rest.len() < input.len()) {
                return Found::Not;
            }
            rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        }
    }
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A value as text, and escaped.
fn plain(value: &str) -> BTreeSet<String> {
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= LINE_MIN).map(str::to_owned);
    let mut texts: BTreeSet<String> = lines.collect();
    texts.insert(value.to_owned());
    // What `echo` and a command's substitution leave of it.
    texts.insert(value.trim_end_matches(['\n', '\r']).to_owned());
    if let Ok(quoted) = serde_json::to_string(value) {
        texts.extend(quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map(str::to_owned));
    }
    for set in [STRICT, COMPONENT, FORM] {
        let upper = utf8_percent_encode(value, set).to_string();
        texts.insert(upper.replace("%20", "+"));
        texts.insert(lower_digits(&upper));
        texts.insert(upper);
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// The same percent-encoding with digits in lower case.
fn lower_digits(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        text.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    text
}

/// A value in base64: by itself, and at any place of a longer text, where the first and the last character also tell of what
/// surrounds it and are left out.
fn encoded(value: &[u8]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for alphabet in [STANDARD, URL_SAFE] {
        texts.insert(alphabet.encode(value));
        for (before, tainted) in [(0, 0), (1, 2), (2, 3)] {
            let padded = [&[0; 2][..before], value].concat();
            let whole = padded.len() * 8 / 6;
            let text = alphabet.encode(&padded);
            texts.insert(text.get(tainted..whole).unwrap_or_default().to_owned());
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

#[cfg(test)]
mod tests;
