use super::*;
use proptest::prelude::*;

const VALUE: &str = "s3cr3t/value+0123 é\"9";

fn mask() -> Mask {
    Mask::of(
        &[("API_KEY", VALUE), ("OTHER", "s3cr3t/value"), ("PEM", "-----BEGIN\nline one of it\n-----END\n")]
            .into_iter()
            .collect(),
    )
}

fn printed(chunks: &[&[u8]]) -> String {
    let mut mask = mask();
    let mut fit: Vec<u8> = chunks.iter().flat_map(|chunk| mask.push(chunk).into_owned()).collect();
    fit.extend(mask.finish());
    String::from_utf8(fit).unwrap()
}

#[test]
fn a_value_is_masked_as_it_is_and_as_it_is_usually_written() {
    let basic = STANDARD.encode(format!("ada:{VALUE}"));
    let wrapped: Vec<String> =
        STANDARD.encode(VALUE).as_bytes().chunks(12).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    for (written, shown) in [
        (format!("key {VALUE}."), "key [masked API_KEY]."),
        (format!("{VALUE}{VALUE}"), "[masked API_KEY][masked API_KEY]"),
        ("s3cr3t/value!".to_owned(), "[masked OTHER]!"),
        ("?k=s3cr3t%2Fvalue%2B0123%20%C3%A9%229&x".to_owned(), "?k=[masked API_KEY]&x"),
        ("?k=s3cr3t%2fvalue%2b0123%20%c3%a9%229&x".to_owned(), "?k=[masked API_KEY]&x"),
        ("?k=s3cr3t%2Fvalue%2B0123+%C3%A9%229&x".to_owned(), "?k=[masked API_KEY]&x"),
        (serde_json::json!({ "k": VALUE }).to_string(), "{\"k\":\"[masked API_KEY]\"}"),
        (STANDARD.encode(VALUE), "[masked API_KEY]"),
        (URL_SAFE.encode(VALUE), "[masked API_KEY]"),
        (basic, ""),
        (format!("{}\n", wrapped.join("\n")), "[masked API_KEY]\n"),
        (format!("{}\n", wrapped.join("\r\n")), "[masked API_KEY]\n"),
        ("  line one of it\n".to_owned(), "  [masked PEM]\n"),
    ] {
        let seen = printed(&[written.as_bytes()]);
        assert!(shown.is_empty() || seen == shown, "{written}: {seen}");
        assert!(!seen.contains("s3cr3t") && (!shown.is_empty() || seen.contains("[masked")), "{written}: {seen}");
    }
}

#[test]
fn what_is_no_value_comes_through_at_once_and_whole() {
    let mut mask = mask();
    assert_eq!(&*mask.push(b"building\n100%\n"), b"building\n100%\n");
    assert_eq!(&*mask.push(b"s3cr"), b"", "it may become a value");
    assert_eq!(&*mask.push(b"et\n"), b"s3cret\n");
    assert_eq!(&*mask.push(b"s3c"), b"");
    assert_eq!(mask.finish(), b"s3c");
}

#[test]
fn what_waits_is_bounded_by_the_longest_value() {
    let mut mask = mask();
    let begun = STANDARD.encode(VALUE);
    mask.push(&begun.as_bytes()[..8]);
    for _ in 0..1000 {
        mask.push(b"\n");
    }
    assert!(mask.held.len() < 3 * begun.len(), "{}", mask.held.len());
}

proptest! {
    #[test]
    fn wherever_it_is_cut_no_value_is_printed(cuts in prop::collection::vec(1..30usize, 0..12)) {
        let text = format!("a {VALUE} b {} c s3cr3t/valu", STANDARD.encode(VALUE));
        let (mut chunks, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts {
            let (chunk, later) = rest.split_at(cut.min(rest.len()));
            chunks.push(chunk);
            rest = later;
        }
        chunks.push(rest);
        prop_assert_eq!(printed(&chunks), "a [masked API_KEY] b [masked API_KEY] c s3cr3t/valu");
    }
}
