//! DNS records that two clusters write.

mod claims;

use std::collections::BTreeMap;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;
use claims::Claim;

declare_rules! {
    /// ## What it does
    /// Reports hand-written `DNSEndpoint`s and `external-dns` annotations that give two clusters
    /// one record: the same name and the same set identifier, or a set identifier in one and none
    /// in the other. A record of an entrypoint counts as one, and may not be written by hand even
    /// in its own cluster. Names in a private zone are passed over: each cluster may have its own.
    ///
    /// ## Why it matters
    /// The second cluster's ExternalDNS finds a record that it does not own and skips it, which
    /// only its debug log says; when the first cluster goes, so does the record. Route 53 refuses
    /// a record without a routing policy beside one with it. Source: ExternalDNS, "TXT registry";
    /// Route 53's API, `ResourceRecordSet`, `SetIdentifier`.
    ///
    /// ## Example
    /// ```yaml
    /// # applied to use1 and to euw1
    /// kind: Service
    /// metadata:
    ///   annotations: {external-dns.alpha.kubernetes.io/hostname: api.example.com}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// entrypoints:
    ///   api.example.com: {routing: latency, targets: {use1: {}, euw1: {}}}
    /// ```
    pub static SHARED_RECORD = { code: "LB5015", name: "shared-record", summary: "a DNS record that two clusters write", severity: Error };
}

/// Reports each record that comes again in another cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut claims = claims::generated(topology);
    for set in &topology.manifests {
        for object in &set.objects {
            let written = claims::written(object);
            claims.extend(
                written
                    .into_iter()
                    .filter(|claim| !private(topology, &claim.name))
                    .map(|claim| Claim { clusters: set.clusters.clone(), ..claim }),
            );
        }
    }
    // By name and type; the first claim of each set identifier, and of any.
    let mut first: BTreeMap<_, BTreeMap<Option<&str>, usize>> = BTreeMap::new();
    for (at, claim) in claims.iter().enumerate() {
        let sets = first.entry((&*claim.name, claim.kind.as_deref())).or_default();
        let own = claim.set.as_deref();
        let same = sets.get(&own).copied();
        let mixed = if own.is_some() { sets.get(&None) } else { sets.values().next() };
        let other = same.or(mixed.copied()).map(|at| &claims[at]);
        match other.filter(|other| collide(other, claim)) {
            Some(other) => found.push(twice(topology, other, claim)),
            None if claim.clusters.iter().nth(1).is_some() && !claim.generated => {
                found.push(alone(topology, claim));
            }
            None => {}
        }
        sets.entry(own).or_insert(at);
    }
}

/// Whether two claims of one record are those of two clusters, or one is landbridge's own.
fn collide(first: &Claim, second: &Claim) -> bool {
    if first.generated && second.generated {
        return false;
    }
    let all = first.clusters.or(&second.clusters);
    all.iter().nth(1).is_some() || first.generated || second.generated
}

/// Whether a declared private zone covers a name: each cluster may then write to a zone of its own.
fn private(topology: &Topology, name: &str) -> bool {
    topology.zones.iter().filter(|zone| zone.private).any(|zone| {
        let before = name.strip_suffix(zone.name.value.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

fn twice(topology: &Topology, first: &Claim, again: &Claim) -> Diagnostic {
    let (name, set) = (&again.name, &again.set);
    let what = match (&first.set, set) {
        (first, again) if first != again => "with a set identifier and without one".to_owned(),
        (_, Some(set)) => format!("with the set identifier `{}`", set.escape_debug()),
        _ => "without a set identifier".to_owned(),
    };
    let message = format!("two clusters or sources write `{}` {what}", name.escape_debug());
    let whose = |claim: &Claim| match claim.clusters.iter().next() {
        Some(id) if claim.generated => {
            format!("the entrypoint's record in `{}`", topology.cluster(id).name.value)
        }
        Some(id) => format!("also in `{}`", topology.cluster(id).name.value),
        None => "also here".to_owned(),
    };
    Diagnostic::new(&SHARED_RECORD, again.span, message)
        .related(first.span, whose(first))
        .help("let one entrypoint declare it, or give each cluster a set identifier of its own")
}

fn alone(topology: &Topology, claim: &Claim) -> Diagnostic {
    let names = claim.clusters.iter().take(2).map(|id| &topology.cluster(id).name.value);
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    let name = claim.name.escape_debug();
    let message = format!("{} write the same record of `{name}`", names.join(" and "));
    Diagnostic::new(&SHARED_RECORD, claim.span, message)
        .help("let an entrypoint declare it, or give each cluster a set identifier of its own")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;
    use crate::spec::load;
    use crate::system::memory::MemorySystem;
    use crate::topology::resolve::resolve;
    use crate::topology::sample::ENTRYPOINT;

    /// What is found with these zones and with these objects in these clusters.
    fn found(zones: &str, sets: &[(&str, String)]) -> Vec<String> {
        let text = ENTRYPOINT.replace("    zones:\n", &format!("    zones:\n{zones}"));
        let mut manifests = String::from("spec:\n  manifests:\n");
        let mut system = MemorySystem::new();
        for (at, (clusters, object)) in sets.iter().enumerate() {
            writeln!(manifests, "    - {{files: [\"m{at}.yaml\"], clusters: [{clusters}]}}")
                .expect("text takes text");
            system = system.with(format!("m{at}.yaml"), object.as_str());
        }
        let text = text.replacen("spec:\n", &manifests, 1);
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let system = system.with(load::ENTRY, text.as_str());
        let spec = load::project(&system, &mut sources, &mut found);
        let topology = resolve(&spec, &mut found).expect("a topology");
        crate::check::run(&topology, &mut found);
        found.iter().map(|one| format!("{} {}", one.rule.code, one.message)).collect()
    }

    fn endpoint(name: &str, set: &str) -> String {
        format!(
            "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\nmetadata: {{name: a}}\n\
             spec:\n  endpoints:\n    - {{dnsName: {name}, recordType: A{set}, targets: [192.0.2.1]}}\n"
        )
    }

    fn service(name: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n    \
             external-dns.alpha.kubernetes.io/hostname: {name}\n"
        )
    }

    #[test]
    fn records_of_two_clusters_collide() {
        let own = ", setIdentifier: use1";
        let shop = || service("other.example.com, Shop.example.com.");
        for (sets, count) in [
            // An entrypoint's own record, in its cluster and in the other.
            (vec![("use1", endpoint("API.example.com.", own))], 1),
            (vec![("euw1", endpoint("api.example.com", own))], 1),
            // Simple beside routed.
            (vec![("use1", service("api.example.com"))], 1),
            // One more target, written by hand.
            (vec![("use1", endpoint("api.example.com", ", setIdentifier: third"))], 0),
            (vec![("use1", shop()), ("euw1", endpoint("shop.example.com", ""))], 1),
            (vec![("use1", shop()), ("use1", endpoint("shop.example.com", ""))], 0),
            (vec![("use1, euw1", endpoint("shop.example.com", own))], 1),
            (vec![("use1, euw1", shop())], 2),
            (
                vec![
                    ("use1", endpoint("shop.example.com", own)),
                    ("euw1", endpoint("shop.example.com", ", setIdentifier: euw1")),
                ],
                0,
            ),
        ] {
            let lines = found("", &sets);
            assert_eq!(lines.len(), count, "{sets:?} {lines:#?}");
            assert!(lines.iter().all(|line| line.starts_with("LB5015 ")), "{lines:#?}");
        }
    }

    #[test]
    fn each_cluster_may_have_a_private_zone_of_its_own() {
        let sets = [("use1, euw1", service("db.in.example.com"))];
        assert_eq!(found("", &sets).len(), 1);
        let private = "      - {name: in.example.com, provider: route53, private: true}\n";
        assert_eq!(found(private, &sets), [""; 0]);
    }

    #[test]
    fn owner_ids_of_two_clusters_collide() {
        let deployment = |args: &str| {
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  template:\n    \
                 spec:\n      containers:\n        - {{name: a, args: [{args}]}}\n"
            )
        };
        let release = |values: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: a}}\n\
                 spec:\n  values: {{{values}}}\n"
            )
        };
        let one = || deployment("--txt-owner-id=one");
        for (sets, count) in [
            (vec![("use1, euw1", one())], 1),
            (vec![("use1", one())], 0),
            (vec![("use1", one()), ("euw1", release("txtOwnerId: one"))], 1),
            (vec![("use1", one()), ("euw1", release("txtOwnerId: two"))], 0),
            (vec![("use1", one()), ("use1", release("txtOwnerId: one"))], 0),
            // That of the entrypoints in the other cluster.
            (vec![("use1", release("txtOwnerId: test-euw1"))], 1),
            (
                vec![
                    ("use1", deployment("--txt-owner-id=one, --domain-filter=a.example")),
                    ("euw1", release("txtOwnerId: one, domainFilters: [b.example]")),
                ],
                0,
            ),
        ] {
            let lines = found("", &sets);
            assert_eq!(lines.len(), count, "{sets:?} {lines:#?}");
            assert!(lines.iter().all(|line| line.starts_with("LB5023 ")), "{lines:#?}");
        }
    }
}
