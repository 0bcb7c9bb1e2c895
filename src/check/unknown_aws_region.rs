//! Latency that nobody measures.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::EntrypointRouting;
use crate::topology::Topology;
use crate::topology::dns::{AWS_REGIONS, is_aws_region};
use crate::yaml::fields::nearest;

declare_rules! {
    /// ## What it does
    /// Reports a target of a `latency` entrypoint whose AWS region this tool does not know. It is
    /// the cluster's own region where `awsRegion` is not written.
    ///
    /// ## Why it matters
    /// Route 53 measures latency from the regions of AWS only and refuses a record for any other.
    /// It is a warning, since AWS opens regions. Source: Route 53's API, `ResourceRecordSet`,
    /// `Region`.
    ///
    /// ## Example
    /// ```yaml
    /// targets: {fra1: {awsRegion: eu-frankfurt}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets: {fra1: {awsRegion: eu-central-1}}
    /// ```
    pub static UNKNOWN_AWS_REGION = { code: "LB5021", name: "unknown-aws-region", summary: "a latency record for a region that AWS does not have", severity: Warning };
}

/// Reports each such target.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let latency = topology
        .entrypoints
        .iter()
        .filter(|entrypoint| entrypoint.routing.value == EntrypointRouting::Latency);
    let regions = latency.flat_map(|one| &one.targets).filter_map(|one| one.aws_region.as_ref());
    for region in regions.filter(|region| !is_aws_region(&region.value)) {
        let message = format!("AWS has no region `{}`", region.value.escape_debug());
        let finding = Diagnostic::new(&UNKNOWN_AWS_REGION, region.span, message);
        found.push(finding.help(match nearest(&region.value, AWS_REGIONS.iter().copied()) {
            Some(near) => format!("write `awsRegion: {near}` if that is meant"),
            None => "write `awsRegion` with the region of AWS that is nearest".to_owned(),
        }));
    }
}
