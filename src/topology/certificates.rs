//! Certificates for names outside the mesh.

use super::id::{ClusterSet, IssuerId, ZoneId};
use crate::source::{Span, Spanned};

/// An ACME issuer with DNS-01.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name.
    pub name: Spanned<String>,
    /// Where its content stands.
    pub span: Span,
    /// `production`, `staging`, or the URL of an ACME directory.
    pub server: Spanned<String>,
    /// The account's e-mail address.
    pub email: Option<String>,
    /// The zones in which it solves challenges.
    pub zones: Vec<ZoneId>,
}

/// A certificate that clusters ask for.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The DNS name that it is for.
    pub name: Spanned<String>,
    /// Where its content stands.
    pub span: Span,
    /// Who issues it.
    pub issuer: IssuerId,
    /// The clusters that ask; all where none is named.
    pub clusters: ClusterSet,
}
