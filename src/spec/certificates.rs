//! Certificates for names outside the mesh, as they were written.

use super::dns::SecretRef;
use super::solver::AcmeServer;
use super::value::{DnsName, Label, Subdomain, Time, Word};
use crate::source::Spanned;
use crate::yaml::fields::{Int, Map};
use crate::{choice, object};

object! {
    /// Certificates for names outside the mesh.
    pub struct Certificates {
        /// Where cert-manager runs.
        "certManager" => cert_manager: Option<CertManager>,
        /// Issuers, by name: each is a ClusterIssuer.
        "issuers" => issuers: Map<Issuer>,
        /// Names that clusters ask certificates for.
        "requests" => requests: Map<CertificateRequest>,
    }

    /// Where cert-manager runs.
    pub struct CertManager {
        /// Its namespace, in which ClusterIssuers look for their Secrets: `cert-manager` unless
        /// said otherwise.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// The ServiceAccount of its controller: `cert-manager` unless said otherwise.
        "serviceAccount" => service_account: Option<Spanned<Subdomain>>,
    }

    /// An issuer: an ACME server with DNS-01, or a CA of one's own.
    pub struct Issuer {
        /// An ACME server: `production`, `staging` (both Let's Encrypt), or the URL of a
        /// directory.
        "server" => server: Option<Spanned<AcmeServer>>,
        /// The account's e-mail address.
        "email" => email: Option<Spanned<Word>>,
        /// The zones in which it solves challenges.
        "zones" => zones: Vec<Spanned<String>>,
        /// The Secret of the account's key, of which each cluster makes its own:
        /// `<issuer>-account-key` unless said otherwise.
        "accountKeySecret" => account_key_secret: Option<Spanned<Subdomain>>,
        /// The ACME profile that is asked for, such as `shortlived`; cert-manager 1.18 and later.
        "profile" => profile: Option<Spanned<Word>>,
        /// The common name of the root whose chain is preferred, at most 64 characters.
        "preferredChain" => preferred_chain: Option<Spanned<Word>>,
        /// The account at the CA that the ACME account is bound to.
        "externalAccountBinding" => external_account: Option<ExternalAccount>,
        /// The Secret with the certificate and the key of a CA of one's own, instead of `server`.
        "caSecret" => ca_secret: Option<Spanned<Subdomain>>,
        /// Whether each certificate signs itself, instead of `server`.
        "selfSigned" => self_signed: Option<Spanned<bool>>,
        /// The clusters that have it; all unless said otherwise.
        "clusters" => clusters: Vec<Spanned<String>>,
    }

    /// The account at a CA that an ACME account is bound to.
    pub struct ExternalAccount {
        /// Its id.
        "keyID" => key_id: Spanned<Word>,
        /// Its key.
        "keySecret" => key_secret: SecretRef,
    }

    /// A certificate that clusters ask for; its key is a DNS name that it is for.
    pub struct CertificateRequest {
        /// The issuer: a key of `issuers`.
        "issuer" => issuer: Spanned<String>,
        /// The clusters that ask; all that have the issuer unless said otherwise.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// Further names that it is for.
        "names" => names: Vec<Spanned<DnsName>>,
        /// The namespace of the Certificate. Without it none is written: something in the
        /// clusters, such as a Gateway, asks for it, and what is known of it is checked.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// The Secret that takes it: `<name>-tls` with dashes for dots unless said otherwise.
        "secretName" => secret_name: Option<Spanned<Subdomain>>,
        /// How long it is asked to be valid, at least `1h`; 90 days unless said otherwise.
        "duration" => duration: Option<Spanned<Time>>,
        /// How long before its end it is renewed; after two thirds of its time unless said
        /// otherwise.
        "renewBefore" => renew_before: Option<Spanned<Time>>,
        /// Its private key.
        "privateKey" => private_key: Option<PrivateKey>,
    }

    /// A private key.
    pub struct PrivateKey {
        /// Its algorithm; `RSA` unless said otherwise.
        "algorithm" => algorithm: Option<Spanned<KeyAlgorithm>>,
        /// Its size in bits: 2048, 4096 or 8192 of RSA, 256, 384 or 521 of ECDSA.
        "size" => size: Option<Spanned<Int<256, 8192>>>,
        /// Whether each certificate has a new one; `Always` unless said otherwise, which is
        /// cert-manager's own default since 1.18 only.
        "rotationPolicy" => rotation_policy: Option<Spanned<RotationPolicy>>,
    }
}

choice! {
    /// The algorithm of a private key.
    pub enum KeyAlgorithm {
        /// RSA.
        "RSA" => Rsa,
        /// Elliptic curves.
        "ECDSA" => Ecdsa,
        /// Ed25519, which public CAs do not take.
        "Ed25519" => Ed25519,
    }

    /// Whether each certificate has a new private key.
    pub enum RotationPolicy {
        /// It has.
        "Always" => Always,
        /// All have the first one.
        "Never" => Never,
    }
}
