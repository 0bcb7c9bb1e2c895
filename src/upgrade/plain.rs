//! The upgrade of clusters whose manifests are all that is known.

use semver::Version;

use super::Site;
use super::plan::Pinned;
use crate::diagnostic::Diagnostics;
use crate::manifest::Manifest;
use crate::reach::Mesh;
use crate::reach::found::{self, Cluster, Refused};
use crate::topology::{ClusterId, Topology};
use crate::yaml::{Node, Value};

/// The setting whose default changes (`clustermesh.policyDefaultLocalCluster` of the chart).
const LOCAL: &str = "policy-default-local-cluster";

/// Clusters as their objects are.
#[derive(Debug)]
pub struct Plain {
    clusters: Vec<Cluster>,
    versions: Vec<Version>,
}

impl Plain {
    /// Clusters with the versions that they have. What their `cilium-config` says of
    /// `policy-default-local-cluster` is forgotten where it is what the chart of that version says
    /// by itself: the chart of another version says something else.
    ///
    /// # Errors
    /// Where they are no mesh.
    pub fn new(clusters: &[Cluster], versions: Vec<Version>) -> Result<Self, Refused> {
        let mut clusters = clusters.to_vec();
        for (cluster, version) in clusters.iter_mut().zip(&versions) {
            let by_itself = (version.major, version.minor) >= (1, 19);
            let config = cluster.objects.iter_mut().filter(|one| is_config(one));
            config.for_each(|one| forget(&mut one.node, by_itself));
        }
        let plain = Self { clusters, versions };
        plain.read(&plain.versions)?;
        Ok(plain)
    }

    fn read(&self, versions: &[Version]) -> Result<Mesh, Refused> {
        let pinned = |(cluster, version): (&Cluster, &Version)| Cluster {
            version: Some(version.clone()),
            ..cluster.clone()
        };
        let clusters: Vec<Cluster> = self.clusters.iter().zip(versions).map(pinned).collect();
        Ok(found::mesh(&clusters)?.mesh)
    }
}

fn is_config(object: &Manifest) -> bool {
    object.is("", "ConfigMap") && object.name.value == "cilium-config"
}

/// Takes the setting out of a configuration where it has this value.
fn forget(config: &mut Node, value: bool) {
    let Value::Mapping(entries) = &mut config.value else { return };
    let data = entries.iter_mut().find(|entry| &*entry.key == "data");
    let Some(Value::Mapping(data)) = data.map(|entry| &mut entry.value.value) else { return };
    let text = value.to_string();
    data.retain(|entry| &*entry.key != LOCAL || entry.value.text() != Some(text.as_str()));
}

impl Site for Plain {
    fn pinned(&self) -> Vec<Pinned> {
        let pinned = self.versions.iter().enumerate().map(|(at, version)| Pinned {
            cluster: ClusterId::new(at),
            version: version.clone(),
            passive: false,
        });
        pinned.collect()
    }

    fn mesh(&self, versions: &[Version]) -> Mesh {
        // Versions on the way are of minors between two that are known.
        self.read(versions).unwrap_or_else(|refused| panic!("internal error: {}", refused.why))
    }

    fn rendered(&self, _: &[Version]) -> Option<Mesh> {
        None
    }

    fn project(&self) -> Option<(&Topology, &Diagnostics)> {
        None
    }
}
