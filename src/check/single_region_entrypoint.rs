//! Entrypoints that are lost with one region.

use std::collections::BTreeSet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::{DnsProvider, EntrypointRouting};
use crate::topology::Topology;
use crate::topology::dns::Entrypoint;

declare_rules! {
    /// ## What it does
    /// Reports an entrypoint whose targets all stand in one region, in a topology with clusters in
    /// several. Not one in a Cloudflare zone, whose records have one target at most.
    ///
    /// ## Why it matters
    /// Whatever its routing, it is gone when that region is.
    ///
    /// ## Example
    /// ```yaml
    /// targets: {use1: {hostname: east.example.net}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets: {use1: {hostname: east.example.net}, euw1: {hostname: west.example.net}}
    /// ```
    pub static SINGLE_REGION_ENTRYPOINT = { code: "LB5014", name: "single-region-entrypoint", summary: "an entrypoint whose targets are all in one region", severity: Warning };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let regions: BTreeSet<_> = topology.clusters.iter().map(|cluster| cluster.region).collect();
    if regions.len() < 2 {
        return;
    }
    let cloudflare = Some(DnsProvider::Cloudflare);
    let anywhere = |one: &&Entrypoint| {
        one.routing.value == EntrypointRouting::Anycast || one.provider(topology) != cloudflare
    };
    for entrypoint in topology.entrypoints.iter().filter(|one| one.whole).filter(anywhere) {
        let targets = entrypoint.targets.iter();
        let clusters = targets.map(|target| topology.cluster(target.cluster));
        let own: BTreeSet<_> = clusters.clone().map(|cluster| cluster.region).collect();
        let Some(first) = clusters.clone().next().filter(|_| own.len() == 1) else { continue };
        let region = &topology.region_of(first).name;
        let name = &entrypoint.name;
        let message = format!("`{}` is lost with the region `{}`", name.value, region.value);
        found.push(
            Diagnostic::new(&SINGLE_REGION_ENTRYPOINT, name.span, message)
                .related(region.span, "all its targets are here")
                .help("add a target in another region"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{ENTRYPOINT, resolved};

    /// The codes of the findings for an entrypoint whose targets have these keys.
    fn codes(routing: &str, one: &str, other: &str) -> Vec<String> {
        let text = ENTRYPOINT
            .replace("routing: latency", &format!("routing: {routing}"))
            .replace("11111111-2222}", &format!("11111111-2222{one}}}"))
            .replace("33333333-4444}", &format!("33333333-4444{other}}}"));
        let code = |line: String| line.split(' ').nth(1).unwrap_or_default().to_owned();
        resolved(&text).1.into_iter().map(code).collect()
    }

    #[test]
    fn a_target_with_an_error_is_no_lost_target() {
        assert_eq!(codes("weighted", ", weight: 1", ", weight: 0"), [""; 0]);
        assert_eq!(codes("weighted", ", weight: 0", ""), ["LB0006"]);
        assert_eq!(codes("weighted", ", weight: 0", ", weight: 0"), ["LB5019"]);
        let (europe, others) =
            (", geolocation: {continent: EU}", ", geolocation: {country: \"*\"}");
        assert_eq!(codes("geolocation", europe, others), [""; 0]);
        assert_eq!(codes("geolocation", europe, ""), ["LB0006"]);
    }
}
