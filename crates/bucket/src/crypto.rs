//! Cryptography for `object_store`, by OpenSSL: what requests are signed with.

use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::{hash, sign};

#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenSsl;

impl CryptoProvider for OpenSsl {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        let hasher = hash::Hasher::new(digest(&algorithm)?).map_err(refused)?;
        Ok(Box::new(Digest {
            hasher,
            failed: None,
            out: Vec::new(),
        }))
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        Ok(Box::new(Hmac {
            algorithm: digest(&algorithm)?,
            key: PKey::hmac(secret).map_err(refused)?,
            text: Vec::new(),
            out: Vec::new(),
        }))
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> Result<Box<dyn Signer>> {
        match algorithm {
            SigningAlgorithm::RS256 => Ok(Box::new(Rsa(PKey::private_key_from_pem(pem).map_err(refused)?))),
            _ => Err(unknown()),
        }
    }
}

fn digest(algorithm: &DigestAlgorithm) -> Result<MessageDigest> {
    match algorithm {
        DigestAlgorithm::Sha256 => Ok(MessageDigest::sha256()),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::NotSupported {
        source: "an algorithm that copydesk does not have".into(),
    }
}

fn refused(error: ErrorStack) -> Error {
    Error::Generic {
        store: "OpenSSL",
        source: error.into(),
    }
}

struct Digest {
    hasher: hash::Hasher,
    failed: Option<ErrorStack>,
    out: Vec<u8>,
}

impl DigestContext for Digest {
    fn update(&mut self, data: &[u8]) {
        if let Err(error) = self.hasher.update(data) {
            self.failed = Some(error);
        }
    }

    fn finish(&mut self) -> Result<&[u8]> {
        if let Some(error) = self.failed.take() {
            return Err(refused(error));
        }
        self.out = self.hasher.finish().map_err(refused)?.to_vec();
        Ok(&self.out)
    }
}

/// Texts that are signed are short.
struct Hmac {
    algorithm: MessageDigest,
    key: PKey<Private>,
    text: Vec<u8>,
    out: Vec<u8>,
}

impl HmacContext for Hmac {
    fn update(&mut self, data: &[u8]) {
        self.text.extend_from_slice(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let signed = sign::Signer::new(self.algorithm, &self.key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(&self.text));
        self.out = signed.map_err(refused)?;
        Ok(&self.out)
    }
}

#[derive(Debug)]
struct Rsa(PKey<Private>);

impl Signer for Rsa {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        sign::Signer::new(MessageDigest::sha256(), &self.0)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(text))
            .map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use openssl::rsa;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The examples of FIPS 180 and RFC 4231.
    #[test]
    fn digests_and_codes_are_those_of_the_standards() {
        let mut digest = OpenSsl.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(
            hex(digest.finish().unwrap()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let mut hmac = OpenSsl.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        hmac.update(b"what do ya want ");
        hmac.update(b"for nothing?");
        assert_eq!(
            hex(hmac.finish().unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_signature_is_good_for_the_key_alone_that_made_it() {
        let key = PKey::from_rsa(rsa::Rsa::generate(2048).unwrap()).unwrap();
        let pem = key.private_key_to_pem_pkcs8().unwrap();
        let made = OpenSsl
            .sign(SigningAlgorithm::RS256, &pem)
            .unwrap()
            .sign(b"text")
            .unwrap();
        let is_good = |text: &[u8]| {
            let mut verifier = sign::Verifier::new(MessageDigest::sha256(), &key).unwrap();
            verifier.verify_oneshot(&made, text).unwrap()
        };
        assert!(is_good(b"text") && !is_good(b"test"));
        assert!(OpenSsl.sign(SigningAlgorithm::RS256, b"no key").is_err());
    }
}
