//! What the role of ExternalDNS may do, and who may take it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::iam::{Statement, document};
use super::{NAME, Site, zone_ids};
use crate::resource::Document;
use crate::spec::dns::DnsProvider;
use crate::spec::role::{RoleParts, parts};
use crate::topology::dns::Entrypoint;
use crate::topology::records::records;
use crate::topology::{Cluster, ClusterSet, Topology};

/// For whom a token is: what EKS gives to pods. Source: AWS, "IAM roles for service accounts".
const AUDIENCE: &str = "sts.amazonaws.com";

/// The permissions on the cluster's zones; nothing where a zone's id is not known, since a policy
/// for every zone of the account is more than the role needs.
///
/// Source: ExternalDNS, `docs/tutorials/aws.md`, "IAM Policy", without what it asks for tags,
/// which are read with a tag filter only; Route 53's developer guide, "Using IAM policy conditions
/// for fine-grained access control".
pub(super) fn permissions(site: &Site<'_>, folder: &str) -> Option<Document> {
    let ids = zone_ids(&site.zones)?;
    let role = site.role();
    // Zones are in the partition of the role.
    let partition = role.as_deref().and_then(|role| Some(parts(role).ok()?.partition));
    let partition = partition.unwrap_or("aws");
    let arn = |id: &&str| format!("arn:{partition}:route53:::hostedzone/{id}");
    let zones: BTreeSet<String> = ids.iter().map(arn).collect();
    let may = |sid, action, resources| Statement {
        sid: Some(sid),
        actions: BTreeSet::from([action]),
        resources,
        ..Statement::default()
    };
    let change = Statement {
        conditions: BTreeMap::from([(
            "ForAllValues:StringEquals",
            set("route53:ChangeResourceRecordSetsRecordTypes", &["A", "AAAA", "CNAME", "TXT"]),
        )]),
        ..may("ChangeRecords", "route53:ChangeResourceRecordSets", zones.clone())
    };
    let read = may("ReadRecords", "route53:ListResourceRecordSets", zones);
    let find = may("FindZones", "route53:ListHostedZones", BTreeSet::from(["*".to_owned()]));
    Some(Document {
        path: format!("{folder}/iam/permissions.json").into(),
        header: Vec::new(),
        bodies: vec![document([change, read, find])],
        origin: site.zones.first()?.span,
    })
}

/// Who may take the role: ExternalDNS of each cluster that uses it, vouched for by that cluster's
/// issuer of tokens, which must be a provider in the role's own account. Nothing where no issuer
/// is known.
/// Source: AWS, "Assign IAM roles to Kubernetes service accounts".
pub(super) fn trust(site: &Site<'_>, folder: &str) -> Option<Document> {
    let written = site.topology.external_dns.role.as_ref()?;
    let role = site.role()?;
    let parts = parts(&role).ok()?;
    let per_cluster = written.value.is_per_cluster();
    let clusters = if per_cluster { vec![site.cluster] } else { writers(site.topology) };
    let namespace = &site.topology.external_dns.namespace;
    let statements: Vec<_> =
        clusters.into_iter().filter_map(|one| trusted(one, namespace, &parts)).collect();
    (!statements.is_empty()).then(|| Document {
        path: format!("{folder}/iam/trust.json").into(),
        header: Vec::new(),
        bodies: vec![document(statements)],
        origin: written.span,
    })
}

/// The clusters that write records of Route 53.
fn writers(topology: &Topology) -> Vec<&Cluster> {
    let mut writers = ClusterSet::new();
    let route53 = |one: &&Entrypoint| one.provider(topology) == Some(DnsProvider::Route53);
    for entrypoint in topology.entrypoints.iter().filter(route53) {
        for target in &entrypoint.targets {
            if !records(topology, entrypoint, target).is_empty() {
                writers.insert(target.cluster);
            }
        }
    }
    writers.iter().map(|id| topology.cluster(id)).collect()
}

fn trusted(cluster: &Cluster, namespace: &str, parts: &RoleParts<'_>) -> Option<Statement> {
    let issuer = cluster.oidc_issuer.as_ref()?.value.strip_prefix("https://")?;
    let RoleParts { partition, account, .. } = parts;
    let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}");
    let subject = format!("system:serviceaccount:{namespace}:{NAME}");
    let mut claims = set(&format!("{issuer}:aud"), &[AUDIENCE]);
    claims.append(&mut set(&format!("{issuer}:sub"), &[&subject]));
    Some(Statement {
        principal: Some(("Federated", provider)),
        actions: BTreeSet::from(["sts:AssumeRoleWithWebIdentity"]),
        conditions: BTreeMap::from([("StringEquals", claims)]),
        ..Statement::default()
    })
}

fn set(key: &str, values: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    BTreeMap::from([(key.to_owned(), values.iter().map(ToString::to_string).collect())])
}
