//! Which Cilium reads the manifests of which cluster.

use std::str::FromStr;

use semver::Version;

use crate::reach::found::settings::version;

/// A version, for all clusters or one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pinned {
    cluster: Option<String>,
    version: Version,
}

impl FromStr for Pinned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (cluster, text) = match text.split_once('=') {
            Some((cluster, version)) => (Some(cluster.to_owned()), version),
            None => (None, text),
        };
        Ok(Self { cluster, version: version(text)? })
    }
}

impl Pinned {
    /// The cluster that it is for, if it is for one.
    pub(super) fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }
}

/// The version for a cluster: the last one that names it, or else the last one for all.
pub(super) fn of(cluster: &str, cilium: &[Pinned]) -> Option<Version> {
    let mut pinned = cilium.iter().rev();
    let own = pinned.clone().find(|pinned| pinned.cluster() == Some(cluster));
    let known = own.or_else(|| pinned.find(|pinned| pinned.cluster.is_none()))?;
    Some(known.version.clone())
}
