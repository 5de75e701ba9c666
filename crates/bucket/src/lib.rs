//! Files in object storage: S3 and what speaks like it, Google Cloud Storage, Azure.
//!
//! **In**: an address without credentials; these are taken from the environment as the crate `object_store` takes
//! them (`AWS_…`, `GOOGLE_…`, `AZURE_…`, the cloud's own machines). **Out**: whole objects: put, read, listed, deleted. **May fail**: the storage is away,
//! refuses the login, or has no such object; every error says what to look at, and none has a credential in it.
//!
//! Calls wait for the storage and want a tokio runtime of several threads. HTTP is ureq's and cryptography OpenSSL's, as
//! everywhere in copydesk: `object_store` is built without its own.

mod crypto;
mod http;

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, RetryConfig, WriteMultipart};

use crypto::OpenSsl;
use http::Connector;

/// Bytes of a part. An object that has more is put in parts, and all are read in parts.
const PART: u64 = 8 << 20;
/// Parts that are under way at once.
const AT_ONCE: usize = 4;
/// S3 takes 10,000 parts of an object.
const MOST_PARTS: u64 = 9_000;

/// Objects of one bucket (Azure: container) below a prefix.
#[derive(Debug)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    /// For messages.
    address: String,
}

impl Bucket {
    /// The objects of `bucket` whose names begin with `prefix/`; all of them if it is empty. `scheme`: `s3`, `gs` or `az`. Nothing is asked
    /// of the storage yet.
    ///
    /// # Errors
    /// Settings in the environment that cannot be used; another scheme.
    pub fn open(scheme: &str, bucket: &str, prefix: &str) -> Result<Self> {
        let retry = RetryConfig {
            max_retries: 5,
            retry_timeout: Duration::from_secs(60),
            ..RetryConfig::default()
        };
        let store: Result<Arc<dyn ObjectStore>, Error> = match scheme {
            "s3" => AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .with_crypto_provider(Arc::new(OpenSsl))
                .build()
                .map(|store| Arc::new(store) as _),
            "gs" => GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .with_crypto_provider(Arc::new(OpenSsl))
                .build()
                .map(|store| Arc::new(store) as _),
            "az" => MicrosoftAzureBuilder::from_env()
                .with_container_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .with_crypto_provider(Arc::new(OpenSsl))
                .build()
                .map(|store| Arc::new(store) as _),
            _ => bail!("no object storage has addresses with {scheme}://: s3, gs and az do"),
        };
        let address = format!("{scheme}://{bucket}");
        let store = store.map_err(|e| {
            anyhow!(
                "{address}: the settings in the environment do not do: {}",
                said(&e)
            )
        })?;
        Ok(Self {
            store,
            prefix: prefix.to_owned(),
            address,
        })
    }

    /// Puts a file, which appears whole, instead of one that is there.
    ///
    /// # Errors
    /// The storage; the file cannot be read.
    pub fn put(&self, name: &str, file: &mut File) -> Result<()> {
        let path = self.path(name)?;
        file.rewind()?;
        let bytes = file.metadata()?.len();
        if bytes <= PART {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            let put = wait(self.store.put(&path, content.into()));
            return put.map(|_| ()).map_err(|e| self.cannot("put", name, &e));
        }
        let size = PART.max(bytes.div_ceil(MOST_PARTS));
        wait(async {
            let upload = self.store.put_multipart(&path).await;
            let upload = upload.map_err(|e| self.cannot("put", name, &e))?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, usize::try_from(size)?);
            let sent = self.send(file, size, &mut parts).await;
            // What is there already is paid for, though no one sees it.
            let done = match sent {
                Ok(()) => parts.finish().await.map(|_| ()).map_err(anyhow::Error::from),
                Err(error) => {
                    parts.abort().await.ok();
                    Err(error)
                }
            };
            done.map_err(|error| match error.downcast_ref::<Error>() {
                Some(refused) => self.cannot("put", name, refused),
                None => error,
            })
        })
    }

    async fn send(&self, file: &mut File, size: u64, parts: &mut WriteMultipart) -> Result<()> {
        loop {
            let mut part = Vec::new();
            if file.take(size).read_to_end(&mut part)? == 0 {
                return Ok(());
            }
            parts.wait_for_capacity(AT_ONCE).await?;
            parts.put(part.into());
        }
    }

    /// An object as a file without a name, which is gone when it is closed. At its beginning.
    ///
    /// # Errors
    /// The storage; the disk for temporary files.
    pub fn get(&self, name: &str) -> Result<File> {
        let path = self.path(name)?;
        let mut file = scratch()?;
        let bytes = wait(self.store.head(&path))
            .map_err(|e| self.cannot("read", name, &e))?
            .size;
        let mut from = 0;
        while from < bytes {
            let to = bytes.min(from + PART);
            let part =
                wait(self.store.get_range(&path, from..to)).map_err(|e| self.cannot("read", name, &e))?;
            file.write_all(&part).context(NO_SCRATCH)?;
            from = to;
        }
        file.rewind()?;
        Ok(file)
    }

    /// The names of the objects right below a folder, without it; none where there are none.
    ///
    /// # Errors
    /// The storage.
    pub fn list(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder)?;
        let found =
            wait(self.store.list_with_delimiter(Some(&path))).map_err(|e| self.cannot("list", folder, &e))?;
        let names = found.objects.iter().filter_map(|o| o.location.filename());
        Ok(names.map(str::to_owned).collect())
    }

    /// Deletes an object, if it is there.
    ///
    /// # Errors
    /// The storage.
    pub fn delete(&self, name: &str) -> Result<()> {
        let path = self.path(name)?;
        match wait(self.store.delete(&path)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.cannot("delete", name, &e)),
        }
    }

    fn path(&self, name: &str) -> Result<Path> {
        Path::parse(format!("{}/{name}", self.prefix))
            .map_err(|e| anyhow!("{name} can be no object's name: {e}"))
    }

    fn cannot(&self, what: &str, name: &str, error: &Error) -> anyhow::Error {
        anyhow!(
            "cannot {what} {name} of {}: {} ({})",
            self.address,
            look(error),
            said(error)
        )
    }
}

/// What to do about an error. Not all of them come with a kind: lists have none.
fn look(error: &Error) -> &'static str {
    let text = error.to_string();
    let answered = |status: &str| text.contains(status);
    if answered("404 Not Found") {
        "is there such a bucket, and such an object?"
    } else if answered("401 Unauthorized") || answered("403 Forbidden") {
        "look at the credentials in the environment, and whether they may list, read, put and delete there"
    } else {
        "look whether the storage can be reached from here, and at its endpoint and region in the environment"
    }
}

const NO_SCRATCH: &str = "cannot write a temporary file (TMPDIR says where they are)";

/// A file without a name, which is gone when it is closed, however the process ends.
///
/// # Errors
/// The disk for temporary files.
pub fn scratch() -> Result<File> {
    tempfile::tempfile().context(NO_SCRATCH)
}

fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(answer))
}

/// What an error says, without the page that a server answered with: some show there what they were sent.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let Some((before, page)) = text.split_once('<') else {
        return text;
    };
    let code = page
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    format!("{} {}", before.trim_end(), code.map_or("", |(code, _)| code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_by_its_code_alone() {
        let error = |text: &str| Error::Generic {
            store: "S3",
            source: text.into(),
        };
        let page = "status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        let shown = said(&error(page));
        assert!(shown.ends_with("403 Forbidden: SignatureDoesNotMatch"), "{shown}");
        assert!(said(&error("refused")).ends_with("refused"));
        assert!(look(&error(page)).contains("credentials") && look(&error("refused")).contains("reached"));
    }
}
