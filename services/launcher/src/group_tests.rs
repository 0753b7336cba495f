use super::*;
use std::process::Stdio;

#[tokio::test]
async fn of_much_that_is_said_the_end_is_kept() {
    let script = "head -c 20000000 /dev/zero | tee /dev/stderr; printf out; printf err >&2; exit 3";
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = output(&mut command).await.unwrap();
    assert_eq!(said.status.code(), Some(3));
    for (text, end) in [(&said.stdout, &b"out"[..]), (&said.stderr, b"err")] {
        assert!(text.ends_with(end), "where the reason stands");
        assert!((SAID_MAX..=3 * SAID_MAX).contains(&text.len()), "{}", text.len());
    }
}
