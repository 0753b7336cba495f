//! Words and numbers for people.

use std::time::Duration;

/// How the log of a canceled build ends.
pub(crate) const CANCELED: &str = "canceled";

const MINUTE_S: u64 = 60;

/// `1 file`, `2 files`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{end}")
}

/// `2.0 GB`: in units of 2 to the 30th, as limits of memory are given.
pub(crate) fn gigabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 30);
    format!("{}.{} GB", tenths / 10, tenths % 10)
}

/// `12 MB`: in whole units of 2 to the 20th, and never none.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1 << 20))
}

/// `1 minute`, `90 seconds`: in the largest unit that tells it whole.
pub(crate) fn lasting(duration: Duration) -> String {
    match duration.as_secs() {
        whole if whole > 0 && whole.is_multiple_of(MINUTE_S) => counted(whole / MINUTE_S, "minute"),
        seconds => counted(seconds, "second"),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, gigabytes, lasting};
    use std::time::Duration;

    #[test]
    fn one_of_a_thing_is_no_plural() {
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(41, "file"), "41 files");
    }

    #[test]
    fn memory_is_told_in_tenths_of_a_gigabyte() {
        assert_eq!([0, 1, 2 << 30, 3 << 29].map(gigabytes), ["0.0 GB", "0.1 GB", "2.0 GB", "1.5 GB"]);
    }

    #[test]
    fn a_time_is_told_in_whole_minutes_where_it_has_them() {
        for (seconds, told) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (2700, "45 minutes"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), told);
        }
    }
}
