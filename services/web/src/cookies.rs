//! Cookies: how they are written and read. None is seen by scripts, and none is sent along by other sites' forms.

use crate::problem::Problem;
use http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;

/// A random id in a cookie: two random UUIDs in hex.
const ID_LENGTH: usize = 64;

/// The cookie `name` for `age_s` seconds; with 0, a browser forgets it.
pub(crate) fn cookie(name: &str, value: &str, age_s: i64) -> Result<HeaderValue, Problem> {
    let cookie = format!("{name}={value}; Max-Age={age_s}; Path=/; HttpOnly; SameSite=Lax");
    cookie.parse().map_err(|_| Problem::Internal("a cookie could not be written".into()))
}

/// What the request has in the cookie `name`.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The random id in the cookie `name`, if it can be one.
pub(crate) fn id<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    read(headers, name).filter(|id| id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// 244 random bits.
pub(crate) fn new_id() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_an_id_is_looked_up() {
        let whole = "0123456789abcdef".repeat(4);
        let presented = |cookie: &str| {
            id(&HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]), "name").map(str::to_owned)
        };
        assert_eq!(presented(&format!("other=1; name={whole}")), Some(whole.clone()));
        for wrong in
            ["name=".to_owned(), format!("name={whole}0"), format!("name=>{}", &whole[1..]), format!("xname={whole}")]
        {
            assert_eq!(presented(&wrong), None, "{wrong}");
        }
        assert_eq!(new_id().len(), ID_LENGTH);
    }
}
