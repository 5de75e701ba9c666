//! An archive in a bucket. Files are made without a name on this machine, and put when they are whole.

use std::fs::File;

use anyhow::Result;
use copydesk_bucket::{Bucket, scratch};

use super::Place;
use crate::target::Target;

#[derive(Debug)]
pub(super) struct InBucket {
    bucket: Bucket,
    name: String,
}

impl InBucket {
    pub(super) fn open(scheme: &str, bucket: &str, prefix: &str) -> Result<Self> {
        Ok(Self {
            name: format!("{scheme}://{bucket}/{prefix}")
                .trim_end_matches('/')
                .to_owned(),
            bucket: Bucket::open(scheme, bucket, prefix)?,
        })
    }
}

impl Place for InBucket {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&self, _path: &str) -> Result<Target> {
        Ok(Target::scratch(scratch()?))
    }

    fn put(&self, path: &str, file: Target) -> Result<u64> {
        let (mut file, bytes) = file.into_scratch()?;
        self.bucket.put(path, &mut file)?;
        Ok(bytes)
    }

    fn open(&self, path: &str) -> Result<File> {
        self.bucket.get(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.bucket.list(folder)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.bucket.delete(path)
    }
}
