//! Clusters whose ExternalDNS delete each other's records.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::records::records;
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports one owner id for the ExternalDNS of two clusters: an `ownerID` without `{cluster}`,
    /// a `txtOwnerId` among the `values`, and, among the hand-written manifests, `--txt-owner-id`
    /// of a container and `txtOwnerId` of a Flux `HelmRelease`. Installations whose domain filters
    /// have nothing in common are passed over.
    ///
    /// ## Why it matters
    /// A record belongs to whoever has its owner id. Each of the two finds records of "its own"
    /// that nothing in its cluster asks for, and deletes them. Source: ExternalDNS, "TXT
    /// registry", and its page on records that several clusters share.
    ///
    /// ## Example
    /// ```yaml
    /// dns: {externalDNS: {ownerID: payments}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// dns: {externalDNS: {ownerID: "payments-{cluster}"}}
    /// ```
    pub static SHARED_OWNER = { code: "LB5023", name: "shared-owner", summary: "one ExternalDNS owner id in two clusters", severity: Error };
}

/// Most installations that one is compared with.
const MOST: usize = 256;

/// An installation of ExternalDNS.
#[derive(Debug)]
struct Owner {
    id: String,
    clusters: ClusterSet,
    /// The domains that it writes; nothing for all.
    domains: Vec<String>,
    span: Span,
}

/// Reports each owner id that comes again in another cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut owners = generated(topology);
    for set in &topology.manifests {
        for object in &set.objects {
            let written = release(object).into_iter().chain(containers(object));
            owners.extend(written.map(|owner| Owner { clusters: set.clusters.clone(), ..owner }));
        }
    }
    owners.sort_by(|a, b| (&a.id, a.span).cmp(&(&b.id, b.span)));
    for group in owners.chunk_by(|a, b| a.id == b.id) {
        for (at, owner) in group.iter().enumerate() {
            let before = &group[at.saturating_sub(MOST)..at];
            match before.iter().find(|other| collide(other, owner)) {
                Some(other) => found.push(
                    finding(topology, &owner.id, &other.clusters.or(&owner.clusters), owner.span)
                        .related(other.span, "also here"),
                ),
                None if owner.clusters.iter().nth(1).is_some() => {
                    found.push(finding(topology, &owner.id, &owner.clusters, owner.span));
                }
                None => {}
            }
        }
    }
}

fn collide(a: &Owner, b: &Owner) -> bool {
    let apart = !a.domains.is_empty()
        && !b.domains.is_empty()
        && !a.domains.iter().any(|domain| b.domains.contains(domain));
    !apart && a.clusters.or(&b.clusters).iter().nth(1).is_some()
}

fn finding(topology: &Topology, id: &str, clusters: &ClusterSet, span: Span) -> Diagnostic {
    let names = clusters.iter().take(2).map(|id| format!("`{}`", topology.cluster(id).name.value));
    let names = names.collect::<Vec<_>>().join(" and ");
    let message = format!("ExternalDNS of {names} own records as `{}`", id.escape_debug());
    Diagnostic::new(&SHARED_OWNER, span, message)
        .label("each deletes the other's records")
        .help("give each cluster an owner id of its own, such as `mesh-{cluster}`")
}

/// The installations that write the entrypoints' records, one for each owner id.
fn generated(topology: &Topology) -> Vec<Owner> {
    let own = &topology.external_dns;
    let raw = own.values.as_ref().and_then(|values| values.get("txtOwnerId"));
    let mut writers = ClusterSet::new();
    for entrypoint in &topology.entrypoints {
        for target in &entrypoint.targets {
            if !records(topology, entrypoint, target).is_empty() {
                writers.insert(target.cluster);
            }
        }
    }
    let mut owners: Vec<Owner> = Vec::new();
    for (id, cluster) in topology.clusters().filter(|(id, _)| writers.contains(*id)) {
        let said = raw.and_then(|raw| Some((raw.text()?.to_owned(), raw.span)));
        let (owner, span) = said.unwrap_or_else(|| (own.owner_of(cluster), own.owner_id.span));
        let clusters: ClusterSet = [id].into_iter().collect();
        match owners.iter_mut().find(|other| other.id == owner) {
            Some(other) => other.clusters = other.clusters.or(&clusters),
            None => owners.push(Owner { id: owner, clusters, domains: Vec::new(), span }),
        }
    }
    owners
}

/// The owner of a Flux `HelmRelease`, where it is installed in the cluster that it stands in.
fn release(object: &Manifest) -> Option<Owner> {
    if !object.is("helm.toolkit.fluxcd.io", "HelmRelease")
        || object.at(&["spec", "kubeConfig"]).is_some()
    {
        return None;
    }
    let values = object.at(&["spec", "values"])?;
    let id = values.get("txtOwnerId")?;
    let domains = values.get("domainFilters").and_then(Node::items).unwrap_or_default();
    let domains = domains.iter().filter_map(|domain| Some(domain.text()?.to_owned()));
    owner(id.text()?, domains.collect(), id.span)
}

/// The owners that the arguments of a workload's containers say.
fn containers(object: &Manifest) -> Vec<Owner> {
    let pods = object.at(&["spec", "template", "spec", "containers"]);
    let mut owners = Vec::new();
    for container in pods.and_then(Node::items).unwrap_or_default() {
        let args = container.get("args").and_then(Node::items).unwrap_or_default();
        let of = |flag: &'static str| {
            args.iter().filter_map(move |arg| Some((arg.text()?.strip_prefix(flag)?, arg.span)))
        };
        let domains: Vec<_> = of("--domain-filter=").map(|(domain, _)| domain.to_owned()).collect();
        let ids = of("--txt-owner-id=").next();
        owners.extend(ids.and_then(|(id, span)| owner(id, domains, span)));
    }
    owners
}

/// An owner whose id says all of itself.
fn owner(id: &str, domains: Vec<String>, span: Span) -> Option<Owner> {
    let known = !id.is_empty() && !id.contains("${") && !id.contains("$(") && !id.contains("{{");
    known.then(|| Owner { id: id.to_owned(), clusters: ClusterSet::new(), domains, span })
}
