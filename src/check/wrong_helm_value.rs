//! A value that the chart cannot work with.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::helm_values::{declaration, problems};
use crate::chart::ProblemKind;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::cluster::IpamMode;
use crate::spec::mesh::EncryptionType;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a value in `ciliumValues` of a type that the chart's schema refuses, one that is
    /// none of the values that work, and one that only works together with another:
    /// `encryption.enabled` without a type, `ipam.mode: eni` without `eni.enabled` and the other way
    /// round.
    ///
    /// ## Why it matters
    /// The chart checks types, but next to no enumeration: a wrong word ends in an agent that
    /// does not start, or in `encryption.type: wiregard`, which renders without any encryption.
    /// `encryption.enabled: true` alone means IPsec, with a Secret that must exist.
    /// `ipam.mode: eni` alone renders a tunnel and an operator that stops (1.16 to 1.19), or
    /// nothing (1.20). Source: `values.schema.json` and the templates of the charts.
    ///
    /// ## Example
    /// ```yaml
    /// ciliumValues:
    ///   kubeProxyReplacement: strict
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kubeProxy: replaced
    /// ```
    pub static WRONG_HELM_VALUE = { code: "LB2012", name: "wrong-helm-value", summary: "a Helm value that the Cilium chart cannot work with", severity: Error };
}

/// Reports values of the wrong type, unknown words, and values that miss their companion.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let kinds = [ProblemKind::WrongType, ProblemKind::NotAllowed];
    for (key, problem) in problems(topology, &kinds, 0) {
        let label = match problem.kind {
            ProblemKind::WrongType => "the chart's schema refuses the value",
            _ => "no value that works",
        };
        let mut finding = Diagnostic::new(&WRONG_HELM_VALUE, key, problem.message).label(label);
        finding.help.extend(problem.help);
        finding.help.extend(declaration(&problem.path));
        found.push(finding);
    }
    let mut seen = BTreeSet::new();
    for cluster in topology.clusters.iter().filter(|cluster| !cluster.values.is_empty()) {
        for finding in alone(topology, cluster) {
            if seen.insert(finding.primary.span) {
                found.push(finding);
            }
        }
    }
}

fn alone(topology: &Topology, cluster: &Cluster) -> Vec<Diagnostic> {
    let encryption = encryption_without_type(topology, cluster).map(|key| {
        let message = "`encryption.enabled` without `encryption.type` means IPsec";
        Diagnostic::new(&WRONG_HELM_VALUE, key, message)
            .label("needs the Secret `cilium-ipsec-keys` in every cluster")
            .help("remove it, and declare `encryption: {type: wireguard}` in the mesh")
    });
    let eni = eni_mode_alone(cluster).map(|key| {
        let message = "`ipam.mode: eni` does nothing good without `eni.enabled` and native routing";
        Diagnostic::new(&WRONG_HELM_VALUE, key, message).label("the operator stops on it").help(
            "remove it, and declare `ipam: {mode: eni}` in the cluster: that writes all three keys",
        )
    });
    let enabled = eni_enabled_alone(cluster).map(|key| {
        let message = "`eni.enabled` does nothing good without `ipam.mode: eni`";
        Diagnostic::new(&WRONG_HELM_VALUE, key, message)
            .label("up to 1.18 a pool in a tunnel beside AWS' operator; from 1.19 on ENI after all")
            .help("remove it, or declare `ipam: {mode: eni}` in the cluster")
    });
    encryption.into_iter().chain(eni).chain(enabled).collect()
}

/// The key that switches encryption on in a mesh without any, if nothing says which.
pub(super) fn encryption_without_type(topology: &Topology, cluster: &Cluster) -> Option<Span> {
    if topology.mesh.encryption.kind != EncryptionType::None {
        return None;
    }
    let (key, enabled) = cluster.said("encryption.enabled")?;
    let typed = cluster.said("encryption.type").is_some_and(|(_, kind)| !kind.is_null());
    (enabled == Json::Bool(true) && !typed).then_some(key)
}

/// The key that asks for ENI addresses in a cluster that has others, if nothing else does.
pub(super) fn eni_mode_alone(cluster: &Cluster) -> Option<Span> {
    if cluster.ipam.mode == IpamMode::Eni {
        return None;
    }
    let (key, mode) = cluster.said("ipam.mode")?;
    let enabled = cluster.said("eni.enabled").map(|(_, enabled)| enabled);
    (mode == "eni" && enabled != Some(Json::Bool(true))).then_some(key)
}

/// The key that switches ENI on in a cluster whose addresses come from elsewhere, if it says
/// nothing of the mode.
fn eni_enabled_alone(cluster: &Cluster) -> Option<Span> {
    if cluster.ipam.mode == IpamMode::Eni || cluster.said("ipam.mode").is_some() {
        return None;
    }
    let (key, enabled) = cluster.said("eni.enabled")?;
    (enabled == Json::Bool(true)).then_some(key)
}
