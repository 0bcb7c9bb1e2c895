//! `external-dns/…`: the Helm values of the ExternalDNS that writes a cluster's records, the chart
//! that they are for, and what its role may do.
//!
//! One installation has one provider, so each provider of the cluster's zones has a folder of its
//! own. Source: `charts/external-dns` of kubernetes-sigs/external-dns, `values.yaml` and
//! `templates/deployment.yaml`; `docs/tutorials/aws.md` and `cloudflare.md`.

mod iam;

use std::collections::BTreeSet;

use semver::Version;
use serde_json::{Value, json};

use super::Input;
use super::cilium_values::layers::merge;
use crate::resource::{Desired, Document};
use crate::source::Spanned;
use crate::spec::dns::DnsProvider;
use crate::topology::dns::{Entrypoint, Zone, is_aws_region};
use crate::topology::records::records;
use crate::topology::{Cluster, Topology};

/// The component that is pinned, its chart and its release.
const NAME: &str = "external-dns";
/// The repository of the chart. Source: its README.
const REPOSITORY: &str = "https://kubernetes-sigs.github.io/external-dns";
/// The first chart whose `provider` is a mapping. Source: the chart's CHANGELOG, v1.14.0.
const PROVIDER_IS_A_MAPPING: Version = Version::new(1, 14, 0);
/// The region of Route 53's own API, for a cluster outside AWS; the SDK asks for one.
/// Source: AWS General Reference, "Amazon Route 53 endpoints and quotas".
const ROUTE53_REGION: &str = "us-east-1";

/// The installation for one provider in one cluster.
struct Site<'a> {
    topology: &'a Topology,
    cluster: &'a Cluster,
    provider: DnsProvider,
    /// The zones in which the cluster writes records.
    zones: Vec<&'a Zone>,
    /// Whether one of these records answers for any name.
    wildcard: bool,
}

impl Site<'_> {
    /// The ARN of the role that changes the zones.
    fn role(&self) -> Option<String> {
        let role = self.topology.external_dns.role.as_ref()?;
        role.value.of_cluster(&self.cluster.name.value).ok()
    }
}

/// Adds the files of each provider of a zone in which the cluster writes records.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, id, .. } = *input;
    let cluster = topology.cluster(id);
    let zones = written_zones(input);
    for (provider, folder) in
        [(DnsProvider::Route53, NAME), (DnsProvider::Cloudflare, "external-dns-cloudflare")]
    {
        let zones = zones.iter().copied().filter(|zone| zone.provider == provider);
        let wildcard = written_names(input)
            .any(|one| one.name.value.starts_with('*') && one.provider(topology) == Some(provider));
        let site = Site { topology, cluster, provider, zones: zones.collect(), wildcard };
        if site.zones.is_empty() {
            continue;
        }
        if provider == DnsProvider::Route53 {
            desired.documents.extend(iam::permissions(&site, folder));
            desired.documents.extend(iam::trust(&site, folder));
        }
        let pinned = cluster.components.iter().find(|(name, _)| name == NAME);
        if let Some((_, pinned)) = pinned {
            desired.documents.extend(chart(&site, folder, pinned).into_iter().flatten());
        }
    }
}

/// The entrypoints of which the cluster writes records.
fn written_names<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a Entrypoint> {
    let Input { topology, id, .. } = *input;
    topology.entrypoints.iter().filter(move |entrypoint| {
        let targets = &entrypoint.targets;
        let own = targets.binary_search_by_key(&id, |target| target.cluster);
        own.is_ok_and(|at| !records(topology, entrypoint, &targets[at]).is_empty())
    })
}

/// The zones in which the cluster writes records, as they were written.
fn written_zones<'a>(input: &Input<'a>) -> Vec<&'a Zone> {
    let used: BTreeSet<_> = written_names(input).filter_map(|entrypoint| entrypoint.zone).collect();
    used.into_iter().map(|id| input.topology.zone(id)).collect()
}

/// The values, and the chart that they are for.
fn chart(site: &Site<'_>, folder: &str, pinned: &Spanned<String>) -> Option<[Document; 2]> {
    // What is pinned without being a chart's version is an image, which has no values.
    let version = Version::parse(&pinned.value).ok()?;
    let own = &site.topology.external_dns;
    let repository = own.chart_repository.as_deref().unwrap_or(REPOSITORY);
    let mut body = values(site, &version);
    if let Some(layer) = &own.values {
        merge(&mut body, layer);
    }
    let name = &site.cluster.name.value;
    let values = Document {
        path: format!("{folder}/values.yaml").into(),
        header: vec![
            format!("Helm values of ExternalDNS in cluster {name}"),
            format!("chart: {NAME} {version} from {repository}"),
        ],
        bodies: vec![body],
        origin: pinned.span,
    };
    let chart = Document {
        path: format!("{folder}/chart.yaml").into(),
        header: Vec::new(),
        bodies: vec![json!({
            "chart": NAME,
            "repository": repository,
            "version": pinned.value,
            "namespace": own.namespace,
        })],
        origin: pinned.span,
    };
    Some([values, chart])
}

fn values(site: &Site<'_>, version: &Version) -> Value {
    let own = &site.topology.external_dns;
    let provider = match site.provider {
        DnsProvider::Cloudflare => "cloudflare",
        DnsProvider::Route53 | DnsProvider::Other => "aws",
    };
    let names: BTreeSet<&str> = site.zones.iter().map(|zone| zone.name.value.as_str()).collect();
    let mut values = json!({
        "provider": if *version < PROVIDER_IS_A_MAPPING { json!(provider) } else { json!({"name": provider}) },
        "sources": ["crd"],
        "policy": own.policy.word(),
        "registry": "txt",
        "txtOwnerId": own.owner_of(site.cluster),
        "txtPrefix": own.txt_prefix,
        "domainFilters": names,
    });
    let mut args = Vec::new();
    if site.wildcard {
        // A prefix stands in front of the asterisk, where it means itself.
        // Source: ExternalDNS, "TXT registry", `--txt-wildcard-replacement`.
        args.push("--txt-wildcard-replacement=any".to_owned());
    }
    match site.provider {
        DnsProvider::Cloudflare => cloudflare(site, &mut values),
        DnsProvider::Route53 | DnsProvider::Other => args.extend(route53(site, &mut values)),
    }
    if !args.is_empty() {
        values["extraArgs"] = json!(args);
    }
    values
}

/// Adds what Route 53 needs; gives further arguments.
fn route53(site: &Site<'_>, values: &mut Value) -> Vec<String> {
    let region = site.topology.region_of(site.cluster).name.value.as_str();
    let region = if is_aws_region(region) { region } else { ROUTE53_REGION };
    values["env"] = json!([{"name": "AWS_DEFAULT_REGION", "value": region}]);
    let mut account = json!({"name": NAME});
    if let Some(role) = site.role() {
        account["annotations"] = json!({"eks.amazonaws.com/role-arn": role});
    }
    values["serviceAccount"] = account;
    let mut args = Vec::new();
    // A public and a private zone may have one name; without these both get the records.
    // Source: `suitableZones` in `provider/aws/aws.go` of ExternalDNS.
    if let Some(ids) = zone_ids(&site.zones) {
        args.extend(ids.iter().map(|id| format!("--zone-id-filter={id}")));
    }
    let private = site.zones.iter().filter(|zone| zone.private).count();
    if private == 0 || private == site.zones.len() {
        let kind = if private == 0 { "public" } else { "private" };
        args.push(format!("--aws-zone-type={kind}"));
    }
    args
}

/// The ids of the zones, if all of them are known.
fn zone_ids<'a>(zones: &[&'a Zone]) -> Option<BTreeSet<&'a str>> {
    zones.iter().map(|zone| Some(zone.hosted_zone_id.as_ref()?.value.as_str())).collect()
}

fn cloudflare(site: &Site<'_>, values: &mut Value) {
    // ExternalDNS reads one token; zones with several have been reported.
    let token = site.zones.iter().find_map(|zone| zone.token_secret.as_ref());
    if let Some((name, key)) = token {
        let from = json!({"secretKeyRef": {"name": name, "key": key}});
        values["env"] = json!([{"name": "CF_API_TOKEN", "valueFrom": from}]);
    }
}
