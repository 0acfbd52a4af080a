//! Assertions: JSON Web Tokens, signed with RS256 (RFC 7519, RFC 7518 3.3).
//!
//! Knows RSA keys. Never keeps a key, nor says what one was. Keys and claims come from its caller.

use super::pem::inside;
use crate::ingest::secret::{Secret, joined};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

/// Signs. `None`: the key is no RSA key of 2048 to 4096 bits in PEM form, unencrypted.
pub(super) fn signed(header: &Value, claims: &Value, key: &Secret) -> Option<Secret> {
    let key = rsa_key(key.expose())?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = [part(header), part(claims)].join(".");
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
        .ok()?;
    let whole = joined(&[&text, ".", &URL_SAFE_NO_PAD.encode(signature)]);
    Some(Secret::new(whole.to_string()))
}

/// Google gives PKCS #8, GitHub PKCS #1.
fn rsa_key(pem: &str) -> Option<RsaKeyPair> {
    if let Some(der) = inside(pem, "PRIVATE KEY") {
        return RsaKeyPair::from_pkcs8(&der).ok();
    }
    RsaKeyPair::from_der(&inside(pem, "RSA PRIVATE KEY")?).ok()
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::json;

    use super::*;

    const KEY: &str = include_str!("../../fixtures/keys/rsa-2048.pem");

    #[test]
    fn what_is_signed_verifies() {
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let key = Secret::new(KEY.to_owned());
        let jwt = signed(&header, &json!({"iss": "x"}), &key).unwrap();
        let (text, signature) = jwt.expose().rsplit_once('.').unwrap();
        let public = rsa_key(KEY).unwrap().public().as_ref().to_vec();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        key.verify(text.as_bytes(), &signature).unwrap();
        let (_, claims) = text.split_once('.').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(claims).unwrap(), br#"{"iss":"x"}"#);
    }

    #[test]
    fn what_is_no_key_signs_nothing() {
        let cut = KEY.replacen("MII", "MIJ", 1);
        let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let public = KEY.replace("PRIVATE", "PUBLIC");
        for key in ["", "planted", &cut, &encrypted, &public] {
            let key = Secret::new(key.to_owned());
            assert!(signed(&json!({}), &json!({}), &key).is_none());
        }
    }
}
