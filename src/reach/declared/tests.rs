use super::*;
use crate::topology::sample::{TWO_CLUSTERS, resolved_with};

const MANIFESTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: fraud, namespace: payments}
spec:
  template:
    metadata: {labels: {app: fraud-detection, version: v2}}
    spec: {serviceAccountName: fraud, containers: [{ports: [{name: web, containerPort: 8081}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: payments}
spec: {template: {metadata: {labels: {app: other}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: payments, labels: {team: money}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: isolate, namespace: payments}
spec: {podSelector: {}}
";

/// The mesh of the sample with changes and with manifests of `use1`.
fn of(changes: &[(&str, &str)], manifests: &str) -> (Topology, Mesh) {
    let sets = "spec:\n  manifests: [{files: [use1.yaml], clusters: [use1]}]\n  versions:";
    let text = TWO_CLUSTERS.replacen("spec:\n  versions:", sets, 1);
    let text = changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "the sample has no `{old}`");
        text.replace(old, new)
    });
    let (topology, _) = resolved_with(&text, &[("use1.yaml", manifests)]);
    let topology = topology.expect("a topology");
    let mesh = mesh(&topology, &Index::of(&topology));
    (topology, mesh)
}

fn described(mesh: &Mesh) -> Vec<String> {
    mesh.endpoints().map(|(id, _)| mesh.describe(id)).collect()
}

#[test]
fn policies_are_those_of_compile_and_of_people() {
    let (topology, mesh) = of(&[], MANIFESTS);
    let index = Index::of(&topology);
    for (id, member) in mesh.clusters() {
        let is_policy = |kind: &str| kind.ends_with("NetworkPolicy");
        let whole = compile::cluster(&topology, &index, id).resources;
        let whole = whole.iter().filter(|known| is_policy(known.kind())).count();
        let of = |origin| member.policies.iter().filter(|known| known.origin == origin).count();
        assert_eq!(of(Origin::Generated), whole, "{}", member.name);
        assert!(whole > 0, "{}", member.name);
        assert_eq!(of(Origin::Written), usize::from(member.name == "use1"), "{}", member.name);
        assert_eq!(member.joined.len(), 2);
    }
    assert_eq!(mesh.unread, []);
}

#[test]
fn a_declared_workload_has_the_labels_of_its_template() {
    let (_, mesh) = of(&[], MANIFESTS);
    assert_eq!(
        described(&mesh),
        [
            "payments/fraud-detection@euw1",
            "payments/payment-frontend@euw1",
            "payments/fraud-detection@use1",
            "payments/other@use1",
        ]
    );
    let fraud = &mesh.endpoints[2];
    assert!(matches!(fraud.standing, Standing::Declared(_)));
    let labels = fraud.identity.labels.to_string();
    assert!(labels.contains("k8s:version=v2"), "{labels}");
    assert!(labels.contains("k8s:io.cilium.k8s.namespace.labels.team=money"), "{labels}");
    assert_eq!(fraud.serves, [(Protocol::TCP, 8080)]);
    assert!(!mesh.endpoints[0].identity.labels.to_string().contains("version"));
    assert_eq!(mesh.endpoints[3].standing, Standing::Found);
}

#[test]
fn a_port_that_has_only_a_name_gets_a_number_that_no_policy_names() {
    let named = ("targetPort: 8080", "targetPort: web");
    let range = "
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: high, namespace: payments}
spec:
  endpointSelector: {}
  ingress: [{toPorts: [{ports: [{port: '60000', endPort: 65535, protocol: TCP}]}]}]
";
    let (_, mesh) = of(&[named], range);
    assert_eq!(mesh.unnumbered, BTreeMap::from([(59_999, "web".to_owned())]));
    assert_eq!(mesh.port_name(59_999), "web");
    assert_eq!(mesh.endpoints[0].serves, [(Protocol::TCP, 59_999)]);
    assert!(mesh.endpoints[0].identity.ports["web"].contains(&(Protocol::TCP, 59_999)));
    // A template that says the number says it for all.
    let (_, mesh) = of(&[named], MANIFESTS);
    assert_eq!(mesh.unnumbered, BTreeMap::new());
    assert_eq!(mesh.endpoints[0].serves, [(Protocol::TCP, 8081)]);
}

#[test]
fn a_cluster_that_cannot_be_read_is_left_out_with_the_reason() {
    let filtered = ("  id: 1\n", "  id: 1\n  ciliumValues: {labels: 'k8s:app'}\n");
    let (_, mesh) = of(&[filtered], MANIFESTS);
    assert_eq!(mesh.unread.len(), 1);
    assert_eq!(mesh.unread[0].what, "the policies of cluster `use1`");
    assert!(mesh.clusters[1].policies.is_empty());
    assert!(described(&mesh).iter().all(|name| name.ends_with("@euw1")));
}

#[test]
fn network_policies_can_be_switched_off() {
    let off = ("  id: 1\n", "  id: 1\n  ciliumValues: {k8sNetworkPolicy: {enabled: false}}\n");
    let (_, mesh) = of(&[off], MANIFESTS);
    let written = mesh.clusters[1].policies.last().expect("a policy");
    assert!(written.policy.refused.is_some() && written.policy.rules.is_empty());
}

#[test]
fn a_name_of_a_port_is_of_its_protocol() {
    let named = ("targetPort: 8080", "targetPort: web");
    let other = MANIFESTS.replace(
        "[{name: web, containerPort: 8081}]",
        "[{name: admin, containerPort: 9000}, {name: web, containerPort: 8082, protocol: UDP}, \
         {name: web, containerPort: 8081}]",
    );
    let (_, mesh) = of(&[named], &other);
    let served: BTreeSet<_> = mesh.endpoints.iter().flat_map(|one| &one.serves).collect();
    assert_eq!(served.into_iter().collect::<Vec<_>>(), [&(Protocol::TCP, 8081)]);
}

#[test]
fn a_policy_of_another_version_is_not_read() {
    let newer = MANIFESTS.replace("networking.k8s.io/v1", "networking.k8s.io/v2");
    let (_, mesh) = of(&[], &newer);
    let why: Vec<&str> = mesh.unread.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(why, ["only the version `v1` of its kind is known"]);
    let mut written = mesh.clusters.iter().flat_map(|member| &member.policies);
    assert!(written.all(|known| known.origin == Origin::Generated));
}
