//! How the settings and Postgres name an archive. Credentials are no part of it.

use std::path::Path;

use anyhow::{Result, bail};

/// What the name of an archive means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    Folder(&'a Path),
    /// A prefix has no `/` at its ends.
    #[cfg_attr(
        not(feature = "object-storage"),
        allow(dead_code, reason = "only programs with object storage go there")
    )]
    Bucket {
        scheme: &'a str,
        bucket: &'a str,
        prefix: &'a str,
    },
}

impl<'a> Address<'a> {
    /// What is refused is not shown: there may be a password in it.
    pub(super) fn parse(name: &'a Path) -> Result<Self> {
        let Some((scheme, rest)) = name.to_str().and_then(|n| n.split_once("://")) else {
            return Ok(Self::Folder(name));
        };
        if !matches!(scheme, "s3" | "gs" | "az") {
            bail!(
                "an archive is in a folder, or at s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"
            );
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |part: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-_.=+".contains(c);
            !part.is_empty() && part != "." && part != ".." && part.chars().all(known)
        };
        if !plain(bucket) || !(prefix.is_empty() || prefix.split('/').all(plain)) {
            bail!(
                "the address of an archive is {scheme}://BUCKET/PREFIX of letters, digits and -_.=+ alone; credentials, region and \
                 endpoint come from the environment (docs/archive.md)"
            );
        }
        Ok(Self::Bucket {
            scheme,
            bucket,
            prefix,
        })
    }
}

/// Whether `janitor.archive.folder` can be the name of an archive.
///
/// # Errors
/// An address of something else, or one with more than bucket and prefix in it, such as a password.
pub fn check_address(name: &Path) -> Result<()> {
    Address::parse(name).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_or_a_bucket_and_a_prefix() {
        let parse = |name: &'static str| Address::parse(Path::new(name));
        let bucket = |scheme, bucket, prefix| Address::Bucket {
            scheme,
            bucket,
            prefix,
        };
        assert_eq!(
            parse("/srv/archive").unwrap(),
            Address::Folder(Path::new("/srv/archive"))
        );
        assert_eq!(parse("s3://news/a/b/").unwrap(), bucket("s3", "news", "a/b"));
        assert_eq!(parse("gs://news").unwrap(), bucket("gs", "news", ""));
        assert_eq!(parse("az://news/").unwrap(), bucket("az", "news", ""));
        for odd in [
            "https://news/a",
            "s3://",
            "s3:///a",
            "s3://key:hidden@news/a",
            "s3://news/a?secret=hidden",
            "s3://news/a//b",
            "s3://news/../hidden",
            "s3://news/é",
        ] {
            let said = parse(odd).unwrap_err().to_string();
            assert!(!said.contains("hidden"), "{said}");
        }
    }
}
