//! What cert-manager needs to change DNS zones of Route 53: in the cluster, and in AWS.

mod policy;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Input;
use super::metadata::Object;
use crate::resource::{Desired, Document, Resource};
use crate::source::Span;
use crate::spec::role::{self, RoleParts};
use crate::topology::Topology;
use crate::topology::certificates::{Access, DNS01_ACCOUNT};

/// Adds the ServiceAccount whose tokens cert-manager exchanges, and the documents of the roles.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let cluster = topology.cluster(id);
    let mut roles: BTreeMap<String, Span> = BTreeMap::new();
    let (mut tokens, mut own) = (None, None);
    for zone in topology.solved_zones(id).into_iter().map(|zone| topology.zone(zone)) {
        let (Some(access), Some(written)) = (zone.access(cluster), &zone.role) else { continue };
        let Some(arn) = access.role() else { continue };
        roles.entry(arn.to_owned()).or_insert(written.span);
        match &access {
            Access::ServiceAccount(_) => tokens = tokens.or(Some(written.span)),
            Access::Irsa(role) => own = own.or(Some((role.clone(), written.span))),
            Access::Ambient(_) | Access::Key(_) => {}
        }
    }
    desired.resources.extend(tokens.into_iter().flat_map(|origin| account(topology, origin)));
    desired.documents.extend(own.map(|(role, origin)| values(topology, &role, origin)));
    let parsed: Vec<_> = roles
        .iter()
        .filter_map(|(arn, origin)| Some((role::parts(arn).ok()?, &index.dns_roles[arn], *origin)))
        .collect();
    for (parts, role, origin) in &parsed {
        let same = |other: &RoleParts<'_>| stem(other.name).eq_ignore_ascii_case(&stem(parts.name));
        let taken = parsed.iter().filter(|(other, ..)| same(other)).count() > 1;
        let account = if taken { format!("{}-", parts.account) } else { String::new() };
        let path = format!("cert-manager/iam/{account}{}", stem(parts.name));
        let mut write = |name: &str, body: Value| {
            let path = format!("{path}-{name}.json");
            desired.documents.push(Document::new(path, body, *origin));
        };
        write("permissions", policy::permissions(topology, &role.zones, parts.partition));
        // A cluster that the role does not trust has nothing to do with who else is trusted.
        if role.trusted.iter().any(|(cluster, _)| *cluster == id) {
            write("trust", policy::trust(topology, role, parts));
        }
    }
}

/// A role's name as a part of a path.
fn stem(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) { name } else { format!("role{name}") }
}

/// The ServiceAccount, and cert-manager's permission to make tokens of it and of no other.
/// Source: cert-manager's documentation, "Route53", "Referencing your own ServiceAccount".
fn account(topology: &Topology, origin: Span) -> [Resource; 3] {
    let place = &topology.cert_manager;
    let object = |api_version, kind| Object {
        api_version,
        kind,
        namespace: Some(&place.namespace),
        name: DNS01_ACCOUNT,
        labels: &[],
        annotations: Vec::new(),
        origin,
    };
    let group = "rbac.authorization.k8s.io";
    let (rbac, own) = ("rbac.authorization.k8s.io/v1", &place.service_account);
    let rules = json!([{
        "apiGroups": [""],
        "resources": ["serviceaccounts/token"],
        "resourceNames": [DNS01_ACCOUNT],
        "verbs": ["create"],
    }]);
    let subject = json!({"kind": "ServiceAccount", "namespace": place.namespace, "name": own});
    let binding = [
        ("roleRef", json!({"apiGroup": group, "kind": "Role", "name": DNS01_ACCOUNT})),
        ("subjects", json!([subject])),
    ];
    [
        object("v1", "ServiceAccount").with(topology, None),
        object(rbac, "Role").with(topology, [("rules", rules)]),
        object(rbac, "RoleBinding").with(topology, binding),
    ]
}

/// What cert-manager's chart has to know of the role of its own ServiceAccount.
fn values(topology: &Topology, role: &str, origin: Span) -> Document {
    let annotations = json!({"eks.amazonaws.com/role-arn": role});
    let name = &topology.cert_manager.service_account;
    Document {
        path: "cert-manager/values.yaml".into(),
        header: vec!["Helm values of cert-manager; merge your own over them.".to_owned()],
        bodies: vec![json!({"serviceAccount": {"name": name, "annotations": annotations}})],
        origin,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::super::{Index, cluster};
    use crate::topology::sample::{TWO_CLUSTERS, topology};

    /// What a cluster has of cert-manager: files by their paths, objects by kind and name.
    fn made(text: &str, name: &str) -> BTreeMap<String, Value> {
        let topology = topology(text);
        let index = Index::of(&topology);
        let (id, _) = topology.clusters().find(|(_, one)| one.name.value == name).unwrap();
        let desired = cluster(&topology, &index, id);
        let files = desired.documents.into_iter().map(|file| (file.path.into(), file.bodies));
        let files = files.filter(|(path, _): &(String, _)| path.starts_with("cert-manager/"));
        let groups = ["cert-manager.io/v1", "rbac.authorization.k8s.io/v1"];
        let objects = desired.resources.into_iter().filter(|object| {
            groups.contains(&object.api_version()) || object.kind() == "ServiceAccount"
        });
        let objects = objects
            .map(|object| (format!("{} {}", object.kind(), object.name()), vec![object.body]));
        files.chain(objects).map(|(name, bodies)| (name, Value::Array(bodies))).collect()
    }

    /// Two clusters whose role has this name, and the first of them alone.
    fn with_and_without(role: &str) -> (String, String) {
        let identity = "  identity: {oidcIssuer: https://tokens.example.com/NAME}\n  id:";
        let sections = format!(
            "  dns:\n    zones:\n      - {{name: example.com, provider: route53, hostedZoneID: Z1, \
             role: \"arn:aws:iam::111122223333:role/{role}\"}}\n  certificates:\n    issuers:\n      \
             acme: {{server: production, zones: [example.com]}}\n    requests:\n      \
             api.example.com: {{issuer: acme, namespace: web}}\n"
        );
        let documents = TWO_CLUSTERS.split("---\n").map(|document| {
            let name = if document.contains("name: euw1") { "euw1" } else { "use1" };
            let document = document.replace("  regions:\n", &format!("{sections}  regions:\n"));
            document.replace("  id:", &identity.replace("NAME", name))
        });
        let documents: Vec<_> = documents.collect();
        (documents[..3].join("---\n"), documents[..2].join("---\n"))
    }

    #[test]
    fn one_more_cluster_changes_nothing_of_the_others() {
        let (two, one) = with_and_without("dns01-{cluster}");
        let alone = made(&one, "use1");
        assert_eq!(made(&two, "use1"), alone);
        let names: Vec<_> = alone.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "Certificate api.example.com",
                "ClusterIssuer acme",
                "Role cert-manager-dns01",
                "RoleBinding cert-manager-dns01",
                "ServiceAccount cert-manager-dns01",
                "cert-manager/iam/dns01-use1-permissions.json",
                "cert-manager/iam/dns01-use1-trust.json",
            ]
        );
    }

    #[test]
    fn one_more_cluster_is_one_more_statement_of_a_shared_role() {
        let (two, one) = with_and_without("dns01");
        let (mut both, mut alone) = (made(&two, "use1"), made(&one, "use1"));
        let trust = "cert-manager/iam/dns01-trust.json";
        assert_eq!(both[trust], made(&two, "euw1")[trust]);
        let statements = |files: &mut BTreeMap<String, Value>| {
            let mut document = files.remove(trust).unwrap();
            document[0]["Statement"].as_array_mut().map(std::mem::take).unwrap()
        };
        let (of_both, of_one) = (statements(&mut both), statements(&mut alone));
        assert_eq!((of_both.len(), of_one.len()), (2, 1));
        assert!(of_both.contains(&of_one[0]));
        assert_eq!(both, alone);
    }
}
