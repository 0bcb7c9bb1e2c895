//! Certificates for names outside the mesh, as they were written.

use super::value::Word;
use crate::object;
use crate::source::Spanned;
use crate::yaml::fields::Map;

object! {
    /// Certificates for names outside the mesh.
    pub struct Certificates {
        /// ACME issuers, by name.
        "issuers" => issuers: Map<AcmeIssuer>,
        /// Names that clusters ask certificates for.
        "requests" => requests: Map<CertificateRequest>,
    }

    /// An ACME issuer with DNS-01.
    pub struct AcmeIssuer {
        /// `production`, `staging`, or the URL of an ACME directory.
        "server" => server: Spanned<Word>,
        /// The account's e-mail address.
        "email" => email: Option<Spanned<Word>>,
        /// The zones in which it solves challenges.
        "zones" => zones: Vec<Spanned<String>>,
    }

    /// A certificate that clusters ask for.
    pub struct CertificateRequest {
        /// The issuer: a key of `issuers`.
        "issuer" => issuer: Spanned<String>,
        /// The clusters that ask.
        "clusters" => clusters: Vec<Spanned<String>>,
    }
}
