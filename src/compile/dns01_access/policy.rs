//! The IAM documents of a role that changes zones of Route 53.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::iam::{self, Statement};
use crate::spec::role::RoleParts;
use crate::topology::certificates::DnsRole;
use crate::topology::{Topology, ZoneId};

/// For whom a token is: what cert-manager asks for, and what EKS gives to pods.
/// Source: cert-manager's documentation, "Route53", and AWS' on IAM roles for service accounts.
const AUDIENCE: &str = "sts.amazonaws.com";

/// What the role may do: write TXT records of challenges into its zones, and see that they are
/// there. The name of a record is not limited where challenges follow a CNAME to it.
///
/// Source: cert-manager's documentation, "Route53"; Route 53's, "Using IAM policy conditions for
/// fine-grained access control", which `ForAllValues` over types and normalised names is from.
pub(super) fn permissions(topology: &Topology, zones: &BTreeSet<ZoneId>, partition: &str) -> Value {
    let resource = |what: &str| BTreeSet::from([format!("arn:{partition}:route53:::{what}")]);
    let may = |action: &'static str, resources| Statement {
        actions: BTreeSet::from([action]),
        resources,
        ..Statement::default()
    };
    let mut listed = BTreeSet::new();
    let mut changes: Vec<Statement> = Vec::new();
    let mut unknown = false;
    for zone in zones.iter().map(|zone| topology.zone(*zone)) {
        let id = zone.hosted_zone_id.as_ref().map_or("*", |id| &*id.value);
        unknown |= zone.hosted_zone_id.is_none();
        let arn = resource(&format!("hostedzone/{id}"));
        listed.extend(arn.iter().cloned());
        let types = set("route53:ChangeResourceRecordSetsRecordTypes", "TXT");
        let mut conditions = BTreeMap::from([("ForAllValues:StringEquals", types)]);
        if !zone.follow_cname {
            let challenges = ["_acme-challenge.", "_acme-challenge.*."];
            let names = challenges.map(|start| format!("{start}{}", zone.name.value));
            let key = "route53:ChangeResourceRecordSetsNormalizedRecordNames".to_owned();
            let names = BTreeMap::from([(key, BTreeSet::from(names))]);
            conditions.insert("ForAllValues:StringLike", names);
        }
        let change = may("route53:ChangeResourceRecordSets", arn);
        changes.push(Statement { conditions, ..change });
    }
    let mut statements = vec![
        may("route53:GetChange", resource("change/*")),
        may("route53:ListResourceRecordSets", listed),
    ];
    statements.append(&mut changes);
    if unknown {
        let anywhere = BTreeSet::from(["*".to_owned()]);
        statements.push(may("route53:ListHostedZonesByName", anywhere));
    }
    iam::document(statements)
}

/// Who may take the role: the ServiceAccount of each cluster that uses it, vouched for by that
/// cluster's issuer of tokens, which must be a provider in the role's own account.
/// Source: AWS, "IAM roles for service accounts", "Assign IAM roles to Kubernetes service
/// accounts".
pub(super) fn trust(topology: &Topology, role: &DnsRole, parts: &RoleParts<'_>) -> Value {
    let namespace = &topology.cert_manager.namespace;
    iam::document(role.trusted.iter().filter_map(|(cluster, account)| {
        let url = topology.cluster(*cluster).oidc_issuer.as_ref()?;
        let issuer = url.value.strip_prefix("https://")?;
        let RoleParts { partition, account: owner, .. } = parts;
        let provider = format!("arn:{partition}:iam::{owner}:oidc-provider/{issuer}");
        let subject = format!("system:serviceaccount:{namespace}:{account}");
        let mut claims = set(&format!("{issuer}:aud"), AUDIENCE);
        claims.append(&mut set(&format!("{issuer}:sub"), &subject));
        Some(Statement {
            principal: Some(("Federated", provider)),
            actions: BTreeSet::from(["sts:AssumeRoleWithWebIdentity"]),
            conditions: BTreeMap::from([("StringEquals", claims)]),
            ..Statement::default()
        })
    }))
}

fn set(key: &str, value: &str) -> BTreeMap<String, BTreeSet<String>> {
    BTreeMap::from([(key.to_owned(), BTreeSet::from([value.to_owned()]))])
}
