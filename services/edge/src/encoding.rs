//! In which encodings a file may be sent, and which of them its reader likes best. Pure.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use std::io::{self, Write as _};
use storage::SiteFile;

/// Smaller files gain nothing worth a header.
const SIZE_MIN: u64 = 256;
/// Of what size the encoded file must be at most to be worth it, in percent.
const WORTH_PERCENT: usize = 95;
/// How hard it is tried: once for each content, beside what readers wait for.
const BROTLI_QUALITY: i32 = 9;
const BROTLI_BUFFER: usize = 16 * 1024;
const BROTLI_WINDOW: i32 = 22;
const ZSTD_LEVEL: i32 = 12;
const THOUSAND: f32 = 1_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Brotli,
    Zstd,
    Gzip,
}

impl Encoding {
    /// The smallest first.
    pub(crate) const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// What headers call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The content in this encoding; none if that is hardly shorter.
    pub(crate) fn encode(self, content: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let encoded = match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: content.len(),
                    ..Default::default()
                };
                let mut writer = brotli::CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER, &params);
                writer.write_all(content)?;
                writer.flush()?;
                writer.into_inner()
            }
            Self::Zstd => zstd::bulk::compress(content, ZSTD_LEVEL)?,
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                writer.write_all(content)?;
                writer.finish()?
            }
        };
        Ok(Some(encoded).filter(|encoded| encoded.len() * 100 <= content.len() * WORTH_PERCENT))
    }
}

/// Whether a file is worth to be encoded, going by its type: pictures and archives are short already.
pub(crate) fn is_encodable(file: &SiteFile) -> bool {
    let kind = file.content_type.split(';').next().unwrap_or_default().trim();
    let is_text =
        kind.starts_with("text/") || ["json", "xml", "javascript", "wasm"].iter().any(|end| kind.ends_with(end));
    is_text && file.size >= SIZE_MIN
}

/// The encodings a request accepts and likes no less than the content as it is, the best first.
pub(crate) fn liked(headers: &HeaderMap) -> impl Iterator<Item = Encoding> + use<> {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let listed: Vec<(&str, u16)> = lines.flat_map(|line| line.split(',')).filter_map(weighed).collect();
    let named =
        |name: &str| listed.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight);
    let any = named("*").unwrap_or(0);
    // Whoever says nothing of it takes the content as it is, and would rather have it shorter.
    let as_it_is = named("identity").unwrap_or(0);
    let weight = |encoding: Encoding| named(encoding.name()).unwrap_or(any);
    let mut liked: Vec<_> = Encoding::ALL.into_iter().map(|encoding| (encoding, weight(encoding))).collect();
    liked.retain(|(_, weight)| *weight > 0 && *weight >= as_it_is);
    // The sort keeps the order of those that are liked alike.
    liked.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    liked.into_iter().map(|(encoding, _)| encoding)
}

/// A name with its weight in thousandths; one that cannot be read weighs nothing.
fn weighed(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let thousandths = |text: &str| {
        let weight = text.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 1,000")]
        let thousandths = (weight * THOUSAND).round() as u16;
        thousandths
    };
    Some((name, weight.map_or(1_000, thousandths)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn told(value: &str) -> String {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())]);
        liked(&headers).map(Encoding::name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_reader_says_what_it_likes() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("gzip", "gzip"),
            ("GZIP;Q=0.5, br;q=0.4", "gzip br"),
            ("gzip;q=0, br;q=0, zstd;q=0", ""),
            ("*", "br zstd gzip"),
            ("*;q=0.5, br;q=0", "zstd gzip"),
            ("identity, gzip;q=0.5", ""),
            ("identity;q=0.5, gzip", "gzip"),
            ("gzip;q=x", ""),
            ("gzip;q=7", ""),
            ("", ""),
            (", ,;q=1", ""),
        ] {
            assert_eq!(told(value), expected, "{value}");
        }
        assert_eq!(liked(&HeaderMap::new()).count(), 0);
    }

    #[test]
    fn what_is_encoded_reads_back_and_noise_is_left_as_it_is() {
        let content = b"words and words ".repeat(100);
        for encoding in Encoding::ALL {
            let encoded = encoding.encode(&content).unwrap().unwrap();
            assert!(encoded.len() * 3 < content.len(), "{encoding:?}");
            let mut read = Vec::new();
            match encoding {
                Encoding::Brotli => drop(brotli::Decompressor::new(&*encoded, 4096).read_to_end(&mut read).unwrap()),
                Encoding::Zstd => read = zstd::bulk::decompress(&encoded, content.len()).unwrap(),
                Encoding::Gzip => drop(flate2::read::GzDecoder::new(&*encoded).read_to_end(&mut read).unwrap()),
            }
            assert_eq!(read, content);
            let noise: Vec<u8> =
                (0..40_u32).flat_map(|number| *events::Digest::of(&number.to_le_bytes()).as_bytes()).collect();
            assert_eq!(encoding.encode(&noise).unwrap(), None);
        }
    }

    #[test]
    fn only_texts_that_are_not_short_are_encoded() {
        for (path, size, expected) in [
            ("index.html", 300, true),
            ("index.html", 200, false),
            ("app.js", 300, true),
            ("data.json", 300, true),
            ("logo.svg", 300, true),
            ("app.wasm", 300, true),
            ("photo.jpg", 300_000, false),
            ("font.woff2", 300_000, false),
        ] {
            let digest = events::Digest::of(b"x");
            let content_type = storage::content_type::of(path).into();
            let file = SiteFile { path: path.to_owned(), digest, size, content_type, pack: digest, offset: 0 };
            assert_eq!(is_encodable(&file), expected, "{path} {size}");
        }
    }
}
